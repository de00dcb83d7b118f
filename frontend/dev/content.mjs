/** What the stand-in server shows and says. */

export const WIDGET = {
  key: "demo",
  name: "Lamp & Co.",
  greeting: "Hello! How can we help? Ask about delivery, returns or a lamp you like.",
  starters: ["Where is my parcel?", "Can I return a lamp?", "Opening hours"],
  position: "end",
  theme: "auto",
  locale: "en",
  online: true,
  reply_time: "Usually replies in a few minutes",
  bot_name: "Robbie",
  avatar: null,
  privacy_url: "/privacy/",
  features: { human: true, sources: true, rating: true, sound: true, stop: true },
};

export const SOURCES = [
  {
    url: "/help/returns/",
    title: "Returns and refunds",
    snippet: "You may send back any lamp within 30 days, unused and in its box.",
  },
  { url: "/help/delivery/", title: "Delivery times", snippet: "Two to four working days." },
];

export const ANSWER = `Yes, you can return a lamp **within 30 days**.

1. Pack it in its box
2. Print the [label](/returns/label/)
3. Hand it in at any post office

We refund you within *three working days*.`;

export const LONG = `# Wiring a lamp

Before you start, switch off the fuse and check with a tester.

- Brown is **live**
- Blue is *neutral*
  - older cables: black
- Green and yellow is earth

\`\`\`python
def watts(volts: float, amperes: float) -> float:
    return volts * amperes  # a very long comment that needs to scroll sideways in the box
\`\`\`

| Bulb | Watts | Lumen |
|------|-------|-------|
| LED | 8 | 806 |
| Halogen | 42 | 630 |

> Not sure? Ask an electrician.

See https://example.org/wiring for drawings.`;

export const PAGE = (query) => `<!doctype html>
<html lang="${query.get("lang") || "en"}" dir="${query.get("dir") || "ltr"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamps</title><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>Lamp &amp; Co.</h1><p>Warm light for long evenings.</p>
<p><a href="/other/">Another page</a></p></main>
<script async src="/chat/widget.js" data-widget="demo" data-theme="${query.get("theme") || ""}"
 data-accent="${query.get("accent") || ""}" data-position="${query.get("position") || ""}"></script>
</body></html>`;
