"""The lamps on the shelf; plain values, no database."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """One product. `price` is in euros, VAT included."""

    slug: str
    name: str
    kind: Text
    price: Decimal
    tagline: Text
    description: Text
    size: Text
    light: Text

    @property
    def picture(self) -> str:
        """Path of the drawing under the static files."""
        return f"shop/lamps/{self.slug}.svg"


LAMPS = (
    Lamp(
        slug="aurora",
        name="Aurora",
        kind=_("Pendant lamp"),
        price=Decimal("149.00"),
        tagline=_("A quiet circle of light over the table."),
        description=_(
            "Spun steel, enamelled by hand. The shade keeps the bulb out of sight and the light on "
            "what you share: dinner, homework, a long game of cards."
        ),
        size=_("48 cm wide, cord 2 m"),
        light=_("E27, up to 12 W, dimmable"),
    ),
    Lamp(
        slug="bow",
        name="Bow",
        kind=_("Floor lamp"),
        price=Decimal("229.00"),
        tagline=_("Reaches over the sofa without a hole in the ceiling."),
        description=_(
            "One brass tube in a single bend, held by a base of nine kilos. It stands behind the "
            "sofa and shines in front of it."
        ),
        size=_("185 cm high, reach 110 cm"),
        light=_("E27, up to 15 W, dimmable"),
    ),
    Lamp(
        slug="orbit",
        name="Orbit",
        kind=_("Table lamp"),
        price=Decimal("119.00"),
        tagline=_("A small planet for the sideboard."),
        description=_(
            "Opal glass, blown by mouth, with a ring of brass that doubles as the dimmer: turn it "
            "and evening comes."
        ),
        size=_("Globe 22 cm, height 38 cm"),
        light=_("LED included, 2,700 K, dimmable"),
    ),
    Lamp(
        slug="fold",
        name="Fold",
        kind=_("Paper lamp"),
        price=Decimal("69.00"),
        tagline=_("Forty-two folds, one sheet, no glue."),
        description=_(
            "Mulberry paper between two rings of oak. It arrives flat, weighs less than a book and "
            "makes a corner warm."
        ),
        size=_("62 cm high, base 30 cm"),
        light=_("LED included, 2,200 K"),
    ),
    Lamp(
        slug="beam",
        name="Beam",
        kind=_("Desk lamp"),
        price=Decimal("98.00"),
        tagline=_("Stays where you put it."),
        description=_(
            "Two joints with springs inside the arms, a heavy foot and a shade that turns all the "
            "way round. Made for reading, soldering and everything between."
        ),
        size=_("Arms 2 × 32 cm"),
        light=_("E14, up to 9 W"),
    ),
    Lamp(
        slug="dusk",
        name="Dusk",
        kind=_("Bedside lamp"),
        price=Decimal("79.00"),
        tagline=_("Dims itself while you fall asleep."),
        description=_(
            "Glazed stoneware and a linen shade. Touch the foot twice and it fades out over twenty "
            "minutes."
        ),
        size=_("34 cm high"),
        light=_("LED included, 2,200 K, fades by itself"),
    ),
)
BY_SLUG = {lamp.slug: lamp for lamp in LAMPS}
