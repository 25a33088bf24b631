"""A text on its way through a translation service: what must stay comes back as it was."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from microblog.core import carrying

TEXT = """안녕 @mina, #서울 은 <b>좋아요</b> & https://example.org/?a=1&b=2

```py
x = "그대로"
```
`code` 끝 😀"""


def test_unchanged_answers_make_the_text_again() -> None:
    parcel = carrying.pack(TEXT)
    assert len(parcel.sent) == 2, "neither the empty line nor the block of code"
    assert carrying.unpack(parcel, parcel.sent) == TEXT


@example("'`:`a'")
@example("a`b`가")
@given(st.text(st.sampled_from("ab가 @#`:/.\n<>&;\"'"), max_size=80))
def test_any_text_comes_through(text: str) -> None:
    parcel = carrying.pack(text)
    assert carrying.unpack(parcel, parcel.sent) == text


def test_what_must_stay_is_marked_for_every_service_and_is_no_markup_of_its_own() -> None:
    (line,) = carrying.pack("<i>Hi</i> @mina `<b>`").sent
    assert line.startswith("&lt;i&gt;Hi&lt;/i&gt; <code ")
    assert line.count('class="notranslate" translate="no">') == 2
    assert "&lt;b&gt;" in line
    assert "<b>" not in line


@pytest.mark.parametrize(
    ("text", "answer", "made"),
    [
        # The sentence is in another order, and the service has changed what it should not.
        ("안녕 @mina", '<code id="k1">@MINA</code>, hello', "@mina, hello"),
        ("안녕 @mina", "<CODE ID=k1 class='x'>mina</CODE > hello", "@mina hello"),
        # It lost the mark, or the whole piece, or made one up.
        ("안녕 @mina", "hello mina", "hello mina @mina"),
        ("@mina", None, "@mina"),
        ("안녕 @mina", 'hello <code id="k9">x</code> <code id="k1"></code>', "hello  @mina"),
        ("안녕 @mina", 'hello <code id="k0">x</code> <code id="k1"></code>', "hello  @mina"),
        # Nothing grows together that was apart.
        ("안녕 @mina", 'hello<code id="k1">@mina</code>too', "hello @mina too"),
        ("안녕 @mina", '<code id="k1">@mina</code>가 왔다', "@mina가 왔다"),
        ("봐 https://a.example/b", '<code id="k1">h</code>다', "https://a.example/b 다"),
        ("봐 #서울", '<code id="k1">#서울</code>의', "#서울 의"),
        # Markup of the service's own, entities and lines are text or nothing.
        ("안녕", "<p>hello <b>you</b> &amp; &lt;me&gt; &#39;</p>", "hello you & <me> '"),
        ("안녕", "one\ntwo", "one two"),
        ("안녕", "1 < 2", "1 < 2"),
        ("안녕", "<script>alert(1)</script>", "alert(1)"),
    ],
)
def test_answer_is_put_together_with_the_originals(
    text: str, answer: str | None, made: str
) -> None:
    parcel = carrying.pack(text)
    answers = [] if answer is None else [answer]
    assert len(parcel.sent) == len(answers)
    assert carrying.unpack(parcel, answers) == made


def test_long_address_costs_no_more_than_its_beginning() -> None:
    address = "https://example.org/" + "a" * 1000
    parcel = carrying.pack(f"See {address}")
    assert len(parcel.sent[0]) < 150
    assert carrying.unpack(parcel, parcel.sent) == f"See {address}"
