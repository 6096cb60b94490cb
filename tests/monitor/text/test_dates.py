import pytest

from monitor.text import dates


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02 09:30", "2026-03-02"),
        ("2026年3月2日", "2026-03-02"),
        ("2026/3/2", "2026-03-02"),
        ("2026.03.02", "2026-03-02"),
        ("２０２６－０３－０２", "2026-03-02"),
        ("二〇二六年三月二日", "2026-03-02"),
        ("二○二五年十二月三十一日", "2025-12-31"),
        ("20260302", "2026-03-02"),
        ("Mon, 2 Mar 2026 09:30:00 GMT", "2026-03-02"),
        ("2026-13-40，后来 2026-03-02", "2026-03-02"),
        ("编号120260302345", None),
        ("3月2日", None),
        ("", None),
    ],
)
def test_first(text: str, day: str | None) -> None:
    assert dates.first(text) == day


def test_the_better_label_wins_not_the_first() -> None:
    text = "成文日期：2026-02-20 发布时间：2026-03-02"
    assert dates.labelled(text, ("发布时间", "成文日期")) == "2026-03-02"
    assert dates.labelled("云岭区2026-03-02", ("发布时间",)) is None


def test_a_day_in_a_box_above_its_month() -> None:
    assert dates.split(" 21 \n 2026年02月 \n") == "2026-02-21"
    assert dates.split("第21\n2026") is None


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("http://x.example/zw/202603/t20260302_18.html", "2026-03-02"),
        ("http://x.example/art/2026/3/2/art_9_1.html", "2026-03-02"),
        ("http://x.example/pc/content/202603/02/content_7.html", "2026-03-02"),
        ("http://x.example/2026/0302/c12a34/page.htm", "2026-03-02"),
        ("http://x.example/info/1024/5678.htm", None),
    ],
)
def test_in_url(url: str, day: str | None) -> None:
    assert dates.in_url(url) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("来信时间 2026-03-01 答复时间 2026-03-05", "2026-03-05"),
        ("报名时间：2026-03-01至2026-03-05", None),
        ("截止日期：2026年3月1日", None),
        ("县融媒体中心时间：2026-03-01", "2026-03-01"),
    ],
)
def test_the_time_of_something_else_is_not_the_date(text: str, day: str | None) -> None:
    assert dates.labelled(text, ("时间", "日期", "答复时间")) == day
