"""The words of `mubiao demo`: what happens on the invented site, and what the summary says of it."""

from __future__ import annotations

from monitor.i18n import Texts

TEXTS: Texts = {
    "intro": (
        "松江市云岭区是虚构的：它的政府网站和报纸只在本机运行。七天里会发生七件事，每天查看一次。",
        "云岭区 of 松江市 is invented: its government and its newspaper are served on this machine only.\n"
        "Seven days pass, one thing happens on each, and mubiao looks once a day.",
    ),
    "progress": ("第{day}天", "Day {day}"),
    # what happens
    "round.0": ("第一次查看：栏目里有2025年政府工作报告", "First look: the column holds the report for 2025"),
    "round.1": (
        "正文没有变；时钟、访问量、天气、推荐链接每次都变",
        "No text changes; clock, counters, weather and links change at every request",
    ),
    "round.2": (
        "栏目里出现2026年政府工作报告（另一套模板，另一种编码）",
        "The report for 2026 appears, in another layout and encoding",
    ),
    "round.3": ("2026年报告里一个数字被悄悄改掉", "One number of the 2026 report is changed without a word"),
    "round.4": (
        "报纸引用报告目标，有一个数字不一样",
        "The newspaper quotes the report's targets, one of them differently",
    ),
    "round.5": (
        "政府网站503；报纸网站返回412验证页面",
        "The government answers 503, the newspaper a 412 challenge page",
    ),
    "round.6": ("两个网站都恢复，文字与停机前完全相同", "Both are back, their texts as before"),
    # what was found
    "found.baseline": ("基线 {count} 份文档，不通知", "a baseline (documents: {count}), nobody is told"),
    "found.quiet": ("{count} 页没有变化", "unchanged pages: {count}"),
    "found.new": ("新文档《{title}》，{count} 项目标有变动", "new document “{title}”, {count:target/targets} moved"),
    "found.edit": ("《{title}》被改动：{line}", "“{title}” was edited: {line}"),
    "found.quote": ("《{title}》：{line}", "“{title}”: {line}"),
    "found.failure": (
        "{where}：{error}（{count} 页），保留上一个完好版本",
        "{where}: {error}, pages: {count}; the last good version stays",
    ),
    "found.recovered": ("恢复正常，没有误报", "can be read again, no false alarm"),
    "where.government": ("政府网站", "government"),
    "where.newspaper": ("报纸网站", "newspaper"),
    "sent": ("{mails} 封邮件，{hooks} 个 webhook", "e-mails: {mails}, webhooks: {hooks}"),
    "sent.none": ("—", "—"),
    # the summary
    "head.rounds": ("七天里发生了什么", "What happened in seven days"),
    "col.day": ("天", "Day"),
    "col.happened": ("网站上", "On the site"),
    "col.found": ("mubiao 发现", "What mubiao found"),
    "col.sent": ("通知", "Told"),
    "head.targets": ("哪些目标变了：《{title}》对比 {release}", "Which targets moved: “{title}” against {release}"),
    "head.edit": ("悄悄的改动：《{title}》", "The silent edit: “{title}”"),
    "head.quote": ("报纸与报告不一致：《{title}》", "The newspaper differs from the report: “{title}”"),
    "col.indicator": ("指标", "Target"),
    "col.before": ("原来", "Before"),
    "col.after": ("现在", "After"),
    "col.change": ("变化", "Change"),
    "more": (
        "还有 {count} 项（重点工作、民生实事）：见下面第一条命令",
        "{count} more (works and livelihood): the first command below lists them",
    ),
    "head.ignored": ("什么被忽略，为什么", "What was ignored, and why"),
    "ignored.chrome": (
        "{count} 次读到的网页与上次字节不同而正文相同：时钟、计数器、天气、推荐链接不算变化",
        "{count:time/times} a page came with other bytes and the same text: clock, counters, weather and so on",
    ),
    "ignored.match": (
        "不跟踪的文档（{count} 份）：{titles}。它们不符合 match: 政府工作报告",
        "{count:document/documents} not followed ({titles}): they do not match 政府工作报告",
    ),
    "ignored.failures": (
        "{count} 次读取失败（{errors}）：记录在案，不产生变化，正文不受影响",
        "{count} failed readings ({errors}): on record with their reason, never a change, the last good text untouched",
    ),
    "ignored.return": (
        "恢复后文字与停机前相同：没有报告任何变化",
        "After the outage the texts were as before it: nothing was reported",
    ),
    "head.where": ("在哪里看", "Where to look"),
    "where.mail": ("邮件（用浏览器打开）", "E-mail (open in a browser)"),
    "where.mails": ("全部邮件（.eml 和 .html）", "All e-mails (.eml and .html)"),
    "where.hooks": ("webhook（{count} 个，{good} 个签名验证通过）", "Webhooks ({count}, {good} signatures ok)"),
    "where.config": ("监测清单", "What was watched"),
    "where.database": ("数据库", "Database"),
    "where.line": ("{what}：{path}", "{what}: {path}"),
    "head.next": ("接着试试", "Try next"),
    "took": ("用时 {seconds} 秒", "{seconds} seconds"),
    # what can go wrong
    "occupied": (
        "{path} 里有别的文件；请用 --dir 指定一个空目录",
        "{path} holds other files; name an empty directory with --dir",
    ),
    "wrong.changes": ("第{day}天应有 {wanted}，实际为 {found}", "day {day} should bring {wanted}, it brought {found}"),
    "wrong.failures": (
        "第{day}天应有的失败记录不对：{found}",
        "day {day} has other failures on record than it should: {found}",
    ),
    "wrong.mail": ("第{day}天少收到邮件", "an e-mail of day {day} did not arrive"),
    "wrong.hook": ("没有收到 webhook：{change}", "no webhook arrived for {change}"),
    "wrong.signature": ("webhook 签名验证失败：{id}", "a webhook signature does not verify: {id}"),
    "wrong.undelivered": ("还有 {count} 条通知没有送达", "{count:message/messages} not delivered"),
}
