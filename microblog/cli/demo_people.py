"""Who lives in the demo: invented people of an invented town. Read by `demo`."""

from dataclasses import dataclass

DOMAIN = "demo.invalid"
"""No mail can ever reach this domain (RFC 6761): an address in it marks a demo person."""


@dataclass(frozen=True, slots=True)
class Resident:
    """An invented person: the name they log in by, how they are shown, and what they write in."""

    username: str
    display_name: str
    about_me: str
    language: str


RESIDENTS = (
    Resident(
        "ada_lanternhill",
        "Ada Lanternhill",
        "Keeps the lighthouse of Pebble Bay. Knots, tides, tea. Not a real person.",
        "en",
    ),
    Resident(
        "haneul_gureum", "구름 위 하늘", "구름 이름을 외우는 사람. 오늘도 올려다봅니다.", "ko"
    ),
    Resident(
        "bram_teapot", "Bram Teapot", "Repairs kettles, radios and moods. Invented in a demo.", "en"
    ),
    Resident("sora_badak", "소라 바닷가", "파도 소리를 모읍니다. 조개는 돌려놓고 와요.", "ko"),
    Resident(
        "cleo_inkwell",
        "Cleo Inkwell",
        "Librarian of the night shift. Ask me for a book, I have at least two answers.",
        "en",
    ),
    Resident("dalbit_jeong", "정달빛", "밤에 걷고 아침에 씁니다. 커피는 연하게.", "ko"),
    Resident(
        "dov_quickbyte",
        "Dov Quickbyte",
        "Python by day, slower Python by night. Opinions are my editor's.",
        "en",
    ),
    Resident("miso_bap", "된장 미소", "동네 식당 지도를 그리는 중. 제철 음식이 제일이에요.", "ko"),
    Resident("elm_wanderly", "Elm Wanderly", "Walks to work the long way round.", "en"),
    Resident("narae_kodeu", "코드 나래", "파이썬과 데이터베이스. 질문은 언제나 환영합니다.", "ko"),
    Resident(
        "fern_mossgrove", "Fern Mossgrove", "Allotment 14, the one with the crooked shed.", "en"
    ),
    Resident("byeol_naru", "별나루", "망원경 하나, 담요 하나. 은하수 보러 가요.", "ko"),
    Resident(
        "gus_fiddlestick", "Gus Fiddlestick", "Second violin of the Pebble Bay orchestra 🎻", "en"
    ),
    Resident("namu_geuneul", "나무그늘", "숲길 안내인. 나무 이름을 물어봐 주세요 🌳", "ko"),
    Resident("hazel_brickline", "Hazel Brickline", "Draws houses that do not exist yet.", "en"),
    Resident("podo_song", "송포도", "기차 여행과 도시락, 그리고 창가 자리.", "ko"),
    Resident("ivo_snowpost", "Ivo Snowpost", "Delivers letters, also uphill.", "en"),
    Resident("yeoreum_bi", "여름비", "비 오는 날의 소리와 냄새를 좋아합니다.", "ko"),
    Resident(
        "juno_paperkite",
        "Juno Paperkite",
        "Teaches eight-year-olds, who teach me. Kites at weekends.",
        "en",
    ),
    Resident("onggi_han", "한옹기", "흙을 만지는 사람. 공방 문은 늘 열려 있어요.", "ko"),
)
