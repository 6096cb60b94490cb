"""Which content system made a page: said to people who add a source, and nothing else hangs on it."""

from __future__ import annotations

import re

# name -> what it leaves in a page or in an address; the first that is found is named
FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("方正翔宇 Founder e-paper", r"<founder-\w+|enpproperty|/pc/(?:layout|paper)/|nbs\.D\d+|class=\"?newspaper"),
        (
            "大汉 Hanweb jcms",
            r"jpage/dataproxy\.jsp|<datastore>|<!--<\$\[|/art/\d{4}/\d{1,2}/\d{1,2}/art_\d+_\d+|/col/col\d+/",
        ),
        ("大汉 jpaas", r"/art/\d{4}/art_[0-9a-f]{32}|jpaas-"),
        (
            "开普 UCAP",
            r"<ucap(?:title|content|-)|UCAP-CONTENT|/common/search/[0-9a-f]{32}|_isAgg=true|cmsArticleContent",
        ),
        ("广东 gkmlpt / 数字政府", r"/gkmlpt/|/content/post_\d+\.html|zoomcon"),
        ("博达 VSB", r"vsb_content|v_news_content|_sitegray|/info/\d+/\d+\.htm|pb_sys_common"),
        ("苏迪 WebPlus", r"wp_articlecontent|/c\d+a\d+/page\.htm|_visitcount\?siteId|wp_paging"),
        (
            "拓尔思 TRS WCM",
            r"TRS_Editor|trs_editor_view|TRS_UEDITOR|createPageHTML\s*\(|/t\d{8}_\d{5,}(?:_\d+)?\.s?html?",
        ),
        ("EasySite", r"easysite|/\d{5,}/index\.html"),
        ("PHPCMS", r"index\.php\?m=content&(?:amp;)?c=index|phpcms"),
        ("DedeCMS", r"dedecms|/plus/(?:list|view|count)\.php"),
        ("WordPress", r"/wp-content/|/wp-includes/"),
    )
)
READ = 600_000  # characters of a page that are looked at


def family(url: str, html: str) -> str | None:
    """The name of the system, None for one we do not know."""
    text = f"{url}\n{html[:READ]}"
    return next((name for name, pattern in FAMILIES if pattern.search(text)), None)
