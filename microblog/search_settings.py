"""What the owner can set of a search server. See `settings`."""

from dataclasses import dataclass

from microblog import variables
from microblog.variables import Spelt, setting


@dataclass(frozen=True, kw_only=True)  # without slots it can stand beside another such part
class SearchSettings(Spelt):
    """The part of the settings that is about search: without any, the database finds things."""

    elasticsearch_url: str | None = setting(
        None,
        variables.web_url,
        "http://localhost:9200",
        "An Elasticsearch server, which then finds posts and people. Default: the database does.",
        "ELASTICSEARCH_URL",
        hidden=True,
    )
    elasticsearch_index: str = setting(
        "microblog", variables.index_name, "village", "How the names of its indexes begin."
    )
