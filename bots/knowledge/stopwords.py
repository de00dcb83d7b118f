"""Words that say nothing about the subject, folded, by base language. Data only.

The first lists hold what people wrap a question in ("can you tell me please"); they matter
more here than in a library catalogue, because an answer is refused when too little of the
question is covered.
"""

from __future__ import annotations


def as_set(text: str) -> frozenset[str]:
    """The words of a text, for lists that read better in lines than as literals."""
    return frozenset(text.split())


ENGLISH = as_set("""
a able about actually after again ago all allow allowed almost already also although always am an
and another any anybody anyone anything are as ask at be because been before being best better
both but by can can't cannot cant come comes coming could couldn't couldnt day's did didn't didnt
do does doesn't doesnt doing don't done dont each either else ever every everything exactly
explain few find for from further get gets getting give given gives go goes going gonna good got
great had happen happens has hasn't hasnt have haven't havent having he hello help her here hey hi
him his hope how i i'd i'll i'm i've if in instead into is isn't it it's its just know left let
like long look looking made make makes many may maybe me mean might mine more most much must my
myself need needed needs never new next no not nothing now of off offer offers often ok okay old
on once one only onto or other our out over own own's per perhaps please policy possible prefer
put question quite rather really receive received right said same saw say saying says see seem
shall she should shouldn't show since so some somebody somehow someone something sometimes soon
still such sure take takes taking tell than thank thanks that that's the their them then there
there's these they thing things think this those though through to today too try trying two under
until up upon us use used using usually very via want wanted wants was wasn't way we well were
what what's when where whether which while who whom whose why will wish with within without won't
wonder wondering would wouldn't yes yet you you'll you're you've your yours
""")

GERMAN = as_set("""
aber alle allem allen aller alles als also alt alte alten alter altes am an andere anderen anderer
angegeben anstatt auch auf aus bei beim bekomme bekommen bekommt bereits biete bieten bietet bin
bis bist bitte brauche brauchen braucht da dabei dafur daher damit danach dann daran darf darfst
darum das dass dasselbe davon dazu dein deine deinem deinen deiner dem den denn der deren des
deshalb dich die dies diese diesem diesen dieser dieses dir doch dort du durch durfen eben eher
eigentlich ein eine einem einen einer eines einfach einige einmal er erklaren es etwa etwas euch
euer eure eurem euren finde finden findet fur ganz gar geben gebt gegen gehe gehen geht gern gerne
gibt gibts gilt gut hab habe haben habs habt hallo halt hast hat hatte hatten heute hier hilfe hin
hinter hoffe ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins ist ja jede jedem
jeden jeder jedes jemand jetzt kann kannst kein keine keinem keinen keiner komme kommen kommt
konnen konnt konnte konnten kriege kriegen kriegt lang lange lasse lassen lasst mach mache machen
macht mal man manche mehr mein meine meinem meinen meiner mich mir mit mochte mochten moglich muss
mussen musst nach namlich ne nehme nehmen nehmt nein neu neue neuen nicht nichts nimmt noch
nochmal nun nur ob oder ohne sagen sagt schon sehr sein seine seinem seinen seiner seit sich sie
sind so solche soll sollen sollte sonst sowie statt tun tut uber um und uns unser unsere unserem
unseren unter viel viele vielleicht vom von vor wann war waren warum was weg weil welche welchem
welchen welcher welches wem wen wenn wer werde werden werdet wie wieder wieso wieviel will willst
wir wird wirklich wissen wisst wo wofur woher wohin wollen wollt worden wurde wurden zu zum zur
zwar zwischen
""")

FRENCH = as_set("""
a ai alors au aucun aussi autre aux avec avez avoir avons bien bonjour c'est ca ce cela ces cet
cette chez combien comme comment dans de des depuis du elle elles en encore est et ete etre eu
fait faire faut il ils j'ai je l la le les leur lui ma mais me merci mes moi mon ne nos notre nous
on ont ou par pas peut peux plus pour pourquoi puis puisje qu'est quand que quel quelle quelles
quels qui sa s'il sans se ses si son sont sur ta te tes toi ton tout toute tous tres tu un une vos
votre vous vouloir voudrais y
""")

SPANISH = as_set("""
a al algo alguna alguno ante antes aqui asi aunque bien buenas buenos como con cual cuales cuando
cuanto de del desde donde dos e el ella ellas ellos en entre era es esa ese eso esta estan este
esto estoy favor fue gracias ha hacer hago hasta hay hola la las le les lo los mas me mi mis mucho
muy nada necesito ni no nos o os otra otro para pero poder por porque puede puedo que quien quiero
se ser si sin sobre son su sus tambien tanto te tener tengo ti tiene tu tus un una uno unos usted
y ya yo
""")

ITALIAN = as_set("""
a ad ai al alla alle allo anche avere c'e che chi ci ciao come con cosa cui da dal dalla dei del
della delle di dove e ed era essere fare gli grazie ha hai hanno ho i il in io la le lei lo loro
lui ma mi mia mio ne nei nel nella no noi non nostro o per perche piu posso puo qual quale quando
quanto quella quello questa questo se sei si sia sono su sua suo sul tra tu un una uno vi voi
vorrei
""")

DUTCH = as_set("""
aan al als alstublieft ben bij dan dat de deze die dit doe doen door dus een en er ga gaat geen
graag had hallo heb hebben hebt heeft het hier hij hoe hoeveel hun ik in is ja je jij jullie kan
kunnen kunt maar me meer met mij mijn moet moeten mogen na naar niet nog nu of om onder ons ook op
over te tot u uit uw van veel voor waar wanneer waarom was wat we wel welke werd wie wij wil
willen wordt ze zich zij zijn zo
""")

PORTUGUESE = as_set("""
a ao aos as ate com como da das de do dos e ela ele em entre era essa esse esta este eu favor foi
ha isso isto ja la lhe mais mas me meu minha muito na nao nas no nos o obrigado ola onde os ou
para pela pelo por porque posso qual quando quanto que quem quero se sem ser seu so sua tambem te
tem tenho um uma voce
""")

STOP_WORDS: dict[str, frozenset[str]] = {
    "de": GERMAN,
    "en": ENGLISH,
    "es": SPANISH,
    "fr": FRENCH,
    "it": ITALIAN,
    "nl": DUTCH,
    "pt": PORTUGUESE,
}
