"""What people write to a lamp shop, made from a seed: common words often, rare ones rarely."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence


def _words(text: str) -> list[str]:
    return text.split()


COMMON = _words("""
the a to is my I it and you for of in can have order lamp was not with on your this be when please
delivery return we how do will would parcel but get are from it's hello thanks if there has that
light been at yes no still an what refund or broken address arrived card pay invoice days track
warranty glass shade bulb cable switch email number week tomorrow today colour size price shop open
phone account password login exchange gift voucher discount code customs Switzerland Austria France
replacement repair part missing damaged wrong item box courier neighbour signed
""")
SYLLABLES = _words("""
ba be bi da de du fa fe ga go ka ke la le li lo ma me mi na ne no pa ra re ri sa se so ta te ti to
va ve za zo lun mar nor pel ran sol tin vor wen zel
""")
NAMES = _words("""
Vera Paul Anna Jonas Mira Felix Lena Oskar Ida Emil Nora Hugo Clara Theo Elif Luca Maja Noah Sara
Levi Zoe Finn Aylin Max Greta Ben Yara Tom Rosa Leo
""")
SURNAMES = _words("""
Kowalska Schmidt Meyer Yilmaz Rossi Novak Larsen Dubois Garcia Jansen Huber Petrov Silva Weber
Fischer Braun Keller Vogel Kraus Lang Berg Stein Wolf Roth Frank Horn Sommer Winter Lindt Blum
""")


class Texts:
    """Sentences of Zipf-distributed words; the same seed says the same."""

    def __init__(self, rng: random.Random, *, vocabulary: int, sentences: int) -> None:
        self.rng = rng
        rare = itertools.islice(self._rare_words(), max(0, vocabulary - len(COMMON)))
        self.words = [*COMMON, *rare]
        weights = itertools.accumulate(1 / (rank + 8) for rank in range(len(self.words)))
        self._weights = list(weights)
        self._sentences = [self._sentence() for _ in range(sentences)]

    def message(self, sentences: int) -> str:
        """Some sentences; one in twenty names an order."""
        text = " ".join(self.rng.choices(self._sentences, k=sentences))
        if self.rng.random() < 0.05:
            text = f"{text} Order LX-{self.rng.randrange(10**6):06d}."
        return text

    def some(self, count: int) -> list[str]:
        """Words as they come in a text, frequent ones mostly."""
        return self.rng.choices(self.words, cum_weights=self._weights, k=count)

    def title(self) -> str:
        """A heading of words that say something."""
        return " ".join(self.rng.choices(self.words[40:4000], k=self.rng.randint(2, 5))).title()

    def article(self) -> str:
        """Markdown: an introduction and two to four sections."""
        parts = [self.message(3)]
        for _ in range(self.rng.randint(1, 3)):
            parts += [f"## {self.title()}", self.message(self.rng.randint(2, 6))]
        return "\n\n".join(parts)

    def name(self) -> str:
        """First and family name."""
        return f"{self.rng.choice(NAMES)} {self.rng.choice(SURNAMES)}"

    def _rare_words(self) -> Sequence[str]:
        for length in itertools.count(3):
            for parts in itertools.product(SYLLABLES, repeat=length):
                if self.rng.random() < 0.3:
                    yield "".join(parts)

    def _sentence(self) -> str:
        return f"{' '.join(self.some(self.rng.randint(4, 14))).capitalize()}."
