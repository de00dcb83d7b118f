"""Recognises what needs no knowledge: a greeting, thanks, "are you a bot?", a wish for a person.

Pure. Patterns work on folded text (lower case, no accents) and are the same for every language,
since a short message often does not show its own.
"""

from __future__ import annotations

import re
from enum import Enum

from bots.knowledge.terms import fold

MAX_CHARS = 400
"""A longer message is a story; only a wish for a person is looked for in it."""


class Talk(Enum):
    """What a message is, when it is no question to the knowledge."""

    GREETING = "greeting"
    HOW_ARE_YOU = "how_are_you"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    ARE_YOU_A_BOT = "are_you_a_bot"
    WHAT_CAN_YOU_DO = "what_can_you_do"
    PERSON = "person"


_PERSON = (
    r"(?:human(?: being)?|(?:real |actual |live )?person|people|somebody|someone|operator|"
    r"representative|rep|agent|employee|staff(?: member)?|colleague|team member|"
    r"customer (?:service|support|care)|support team|your team|"
    r"mensch(?:en)?|person|jemand(?:em|en)?|mitarbeiter(?:in|innen|n|s)?|berater(?:in|innen)?|"
    r"kolleg(?:e|en|in|innen)|kundenservice|kundendienst|kundenbetreuung|support|team|personne|"
    r"conseiller|humain|persona|agente|umano|operatore|operador|medewerker|mens)"
)
_ADJECTIVE = r"(?:(?:a|an|the|your|some|einen?|einem|einer|eurem|ihrem|dem|der|die|das|den|un|une|"
_ADJECTIVE += r"una|een)\s+)?"
_ADJECTIVE += r"(?:(?:real|actual|live|echten?|echter|richtigen?|richtiger|wirklichen?)\s+)?"

_SPEAK = (
    r"(?:talk|speak|chat|write|connect(?: me)?|transfer(?: me)?|put me through|hand me over|"
    r"forward me|get me|pass me)"
)
_WISHES = [
    # talk to a human, connect me with someone
    rf"\b{_SPEAK}\s+(?:directly\s+)?(?:(?:to|with|over to|through to|on to)\s+)?"
    rf"{_ADJECTIVE}{_PERSON}\b",
    # I want / need a human
    rf"\b(?:want|need|prefer|like|get|give me)\s+{_ADJECTIVE}"
    r"(?:human|(?:real|live|actual) person|person|operator|representative|agent|rep)\b",
    # human please, real person!
    r"^\W*(?:a\s+)?(?:real\s+)?(?:human|person|operator|agent|representative)(?:\s+please)?\W*$",
    r"^\W*(?:please\s+)?(?:hand ?-?over|escalate)(?:\s+please)?\W*$",
    # mit einem Menschen sprechen, jemanden sprechen
    rf"\bmit\s+{_ADJECTIVE}{_PERSON}\s+(?:\w+\s+){{0,3}}?(?:sprechen|reden|chatten|schreiben|verbinden|"
    r"verbunden|telefonieren|unterhalten)\b",
    rf"\b(?:sprech\w*|red\w*|chatte\w*|verbind\w*)\s+(?:\w+\s+){{0,4}}?mit\s+{_ADJECTIVE}{_PERSON}\b",
    rf"\b{_ADJECTIVE}(?:mensch(?:en)?|mitarbeiter(?:in)?|berater(?:in)?|jemanden?)\s+"
    r"(?:\w+\s+){0,2}?sprechen\b",
    r"\b(?:will|mochte|brauche|hatte gern\w*|gib mir|geben sie mir)\s+(?:\w+\s+){0,2}?"
    r"(?:menschen|mitarbeiter(?:in)?|echte person|richtige person)\b",
    r"^\W*(?:bitte\s+)?(?:einen?\s+)?(?:echten?\s+)?(?:mensch(?:en)?|mitarbeiter(?:in)?|berater(?:in)?)"
    r"(?:\s+bitte)?\W*$",
    # parler à quelqu'un, hablar con una persona, parlare con una persona, iemand spreken
    r"\bparler (?:a|avec) (?:quelqu'?un|un humain|une personne|un conseiller)\b",
    r"\bhablar con (?:una persona|alguien|un humano|un agente)\b",
    r"\bparlare con (?:una persona|qualcuno|un operatore)\b",
    r"\b(?:met een mens|een medewerker|iemand) (?:spreken|praten)\b",
]
_REFUSED = re.compile(
    r"\b(?:don'?t|do not|dont|no need to|nicht|kein(?:en|e)?|without|ohne)\b[^.!?]{0,40}$"
)
_WISH = re.compile("|".join(f"(?:{pattern})" for pattern in _WISHES))

_GREETING = (
    r"(?:hi+|hello+|hey+|hallo+|hiya|howdy|good (?:morning|afternoon|evening|day)|greetings|"
    r"guten (?:tag|morgen|abend)|gut(?:en)? tag|moin(?: moin)?|servus|gruss (?:gott|dich)|gruezi|"
    r"tag|bonjour|salut|hola|buen(?:os|as) (?:dias|tardes|noches)|ciao|buongiorno|hoi|"
    r"goedendag|ola)"
)
_VOCATIVE = r"(?:there|all|everyone|team|bot|zusammen|ihr|lieb\w+|du|sie|miteinander|you)"
_FILLER = r"[\s,.!?;:\-–—)(\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]*"
_WHOLE = [
    (
        Talk.THANKS,
        r"(?:(?:ok(?:ay)?|great|perfect|super|prima|toll|alles klar|got it|cool|nice)\s*,?\s*)?"
        r"(?:thanks?(?: you)?(?: (?:a lot|so much|very much|for (?:your|the) help))?|thx|ty|cheers|"
        r"danke(?: ?schon| ?sehr)?|vielen(?: lieben)? dank|herzlichen dank|besten dank|dankeschon|"
        r"merci(?: beaucoup)?|(?:muchas )?gracias|grazie(?: mille)?|bedankt|dank je|obrigad[oa])"
        r"(?: (?:dir|ihnen|euch|sehr|fur die hilfe|fur ihre hilfe|that helped|das hat geholfen))*",
    ),
    (
        Talk.GOODBYE,
        r"(?:(?:good ?)?bye(?: ?bye)?|see you(?: later)?|have a (?:nice|good|great) \w+|tschuss|"
        r"tschau|auf wiedersehen|bis (?:dann|bald|spater)|schonen (?:tag|abend)(?: noch)?|"
        r"au revoir|adios|hasta luego|arrivederci|tot ziens|that'?s all|das war'?s|"
        r"das war alles)",
    ),
    (
        Talk.HOW_ARE_YOU,
        r"(?:how are you(?: doing)?(?: today)?|how'?s it going|what'?s up|wie geht'?s?(?: es)?"
        r"(?: (?:dir|ihnen|euch))?(?: heute)?|alles gut)",
    ),
    (
        Talk.ARE_YOU_A_BOT,
        r"(?:so\s+)?(?:are you|am i (?:talking|speaking|chatting) (?:to|with)|is this|"
        r"bist du|sind sie|"
        r"spreche ich(?: hier)? mit|rede ich(?: hier)? mit|ist das(?: hier)?|"
        r"schreibe ich(?: hier)? mit)"
        r"\s+(?:hier\s+|eigentlich\s+|denn\s+|really\s+|actually\s+)*"
        r"(?:(?:a|an|ein|eine|einem|einer|einen)\s+)?(?:real\s+|echter?\s+|richtiger?\s+|echten?\s+)?"
        r"(?:bot|chatbot|robot|roboter|machine|maschine|computer|program|programm|ai|ki|human|person|"
        r"mensch(?:en)?|software|automat)"
        r"(?:\s+(?:or|oder)\s+.{0,40})?",
    ),
    (
        Talk.WHAT_CAN_YOU_DO,
        r"(?:what can you (?:do|help(?: me)? with)|how can you help(?: me)?|who are you|"
        r"help(?: me)?|what are you|was kannst du(?: alles)?|was konnen sie(?: alles)?|"
        r"wer bist du|wer sind sie|"
        r"wobei k(?:annst|onnen) (?:du|sie)(?: mir)? helfen|hilfe)",
    ),
    (Talk.GREETING, rf"{_GREETING}(?:\s+{_VOCATIVE})*"),
]
_TALKS = [
    (
        talk,
        re.compile(
            rf"{_FILLER}(?:{_GREETING}{_FILLER})?(?:{_VOCATIVE}{_FILLER})?{pattern}{_FILLER}"
        ),
    )
    for talk, pattern in _WHOLE[:-1]
] + [(Talk.GREETING, re.compile(rf"{_FILLER}{_WHOLE[-1][1]}{_FILLER}"))]

_YES = re.compile(
    rf"{_FILLER}(?:yes|yeah|yep|yup|sure|please|yes please|ok(?:ay)?|of course|please do|"
    r"ja|jo|jep|gerne?|bitte|ja bitte|ja gerne?|klar|natürlich|naturlich|unbedingt|"
    rf"oui|si|claro|sim)(?:{_FILLER}(?:please|bitte|gerne?))?{_FILLER}"
)


def recognise(text: str) -> Talk | None:
    """What kind of small talk a whole message is; None for a question or anything else."""
    folded = " ".join(fold(text).replace("’", "'").split())
    if wants_person(text):
        return Talk.PERSON
    if len(folded) > MAX_CHARS:
        return None
    return next((talk for talk, pattern in _TALKS if pattern.fullmatch(folded)), None)


def wants_person(text: str) -> bool:
    """Whether a person is asked for in words; "I don't want to talk to a human" does not."""
    folded = " ".join(fold(text[:4000]).replace("’", "'").split())
    return any(not _REFUSED.search(folded[: match.start()]) for match in _WISH.finditer(folded))


def is_yes(text: str) -> bool:
    """Whether a whole message says yes."""
    return len(text) <= MAX_CHARS and _YES.fullmatch(" ".join(fold(text).split())) is not None
