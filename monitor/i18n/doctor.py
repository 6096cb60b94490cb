"""What `mubiao doctor` finds, and how to mend it. What an error says of itself (`{why}`) is in English."""

from __future__ import annotations

from monitor.i18n import Texts

TEXTS: Texts = {
    "said": ("{why}", "{why}"),
    "as said": ("{mend}", "{mend}"),
    "program": ("mubiao {version}，Python {python}", "mubiao {version} on Python {python}"),
    "package": ("{names} 也安装了名为 {package} 的包", "the package {package} is also installed by {names}"),
    "package.fix": ("把 mubiao 装进独立的环境", "install mubiao in an environment of its own"),
    "sqlite": ("SQLite {version}", "SQLite {version}"),
    "sqlite.old": (
        "SQLite {version}：两个写入者可能损坏数据库，mubiao 只用一个",
        "SQLite {version}: two writers could damage a database; mubiao keeps to one",
    ),
    "file.fix": ("修改该文件，或另写一份：mubiao init", "mend the file, or write a new one: mubiao init"),
    "file": (
        "{path}：{sources} 个来源，{channels} 个通道",
        "{path}: {sources:source/sources}, {channels:channel/channels}",
    ),
    "none yet": ("{path}：还没有数据库（首次检查时建立）", "{path}: no database yet (the first check makes it)"),
    "database.fix": ("mubiao db upgrade，或从备份恢复", "mubiao db upgrade, or restore a backup"),
    "gone.fix": ("启动数据库服务器，或改正 --db", "start the server, or mend --db"),
    "newer.fix": ("安装写入它的 mubiao 版本，或更新的版本", "install the mubiao that wrote it, or a newer one"),
    "extra.fix": ("pip install 'mubiao[postgres]'", "pip install 'mubiao[postgres]'"),
    "database": ("{place}：{size:.1f} MB", "{place}: {size:.1f} MB"),
    "procrastinate": (
        "没有安装 procrastinate：run 和 worker 都无法启动",
        "procrastinate is not installed: neither run nor worker starts",
    ),
    "failing": ("{n} 个页面读取失败", "{n:page/pages} failing"),
    "failing.fix": ("mubiao sources health", "mubiao sources health"),
    "channel.off": ("通道 {name} 已停用：{why}", "channel {name} is off: {why}"),
    "channel.off.fix": (
        "在 sources.yaml 中改正，或：mubiao alerts enable {name}",
        "mend it in sources.yaml, or: mubiao alerts enable {name}",
    ),
    "dead": ("{n} 条消息未能送达", "{n:message/messages} could not be delivered"),
    "dead.fix": ("mubiao alerts list --state dead", "mubiao alerts list --state dead"),
    "room": (
        "{folder}：只剩 {free:.0f} MB；写满后检查停止",
        "{folder}: {free:.0f} MB are free; checks stop when it is full",
    ),
    "room.fix": ("腾出空间", "make room"),
    "room.copy": (
        "{folder}：只剩 {free:.0f} MB，不够再放一份数据库",
        "{folder}: {free:.0f} MB are free, less than a copy of the database",
    ),
    "kept": ("所有来源的全部版本都保留", "everything is kept, of every source"),
    "thinned": ("每晚精简：{sources}", "thinned out every night: {sources}"),
    "thinned.more": ("每晚精简：{sources} 等，另有 {n} 个", "thinned out every night: {sources} and {n} more"),
    "keep.versions": ("每页 {n} 个版本", "{n:version/versions} of a page"),
    "keep.age": ("{n} 天内的版本", "versions younger than {n:day/days}"),
    "keep.bodies": ("原始字节 {n} 天", "bodies for {n:day/days}"),
    "night": (
        "上次精简于 {at}：{versions} 个版本，{bodies} 份原始字节",
        "last thinned out {at}: {versions:version/versions}, {bodies:body/bodies}",
    ),
    "night.fix": ("一夜未能做完，请运行：mubiao db prune", "there was more than a night's work; run: mubiao db prune"),
    "server": (
        "PostgreSQL {version}，连接 {connections}/{most}",
        "PostgreSQL {version}, {connections} of {most:connection/connections}",
    ),
    "server.daemon": (
        "PostgreSQL {version}，连接 {connections}/{most}；守护进程为 {daemon}",
        "PostgreSQL {version}, {connections} of {most:connection/connections}; the daemon is {daemon}",
    ),
    "encoding": (
        "数据库编码为 {encoding}，无法表示所有字符",
        "the database holds {encoding}, which has not all characters",
    ),
    "encoding.fix": (
        "复制到这样建立的数据库：createdb -E UTF8 -T template0 NAME（mubiao db copy）",
        "copy it into one made with: createdb -E UTF8 -T template0 NAME (mubiao db copy)",
    ),
    "clocks": ("服务器与本机的时钟相差 {seconds:.0f} 秒", "the server's clock and ours are {seconds:.0f} s apart"),
    "clocks.fix": ("两边都用 NTP 校时", "have both set by NTP"),
    "overdue": (
        "{sources}：{year} 年的文件逾期未发，应在 {by} 前发布",
        "{sources}: the release of {year} is overdue, it was to come by {by}",
    ),
    "overdue.fix": (
        "看看是否改在别处发布：mubiao sources test KEY",
        "look whether it stands elsewhere: mubiao sources test KEY",
    ),
    "no mail": ("通道 {name}：没有邮件服务器", "channel {name}: no mail server"),
    "no mail.fix": (
        "设置 MUBIAO_SMTP_URL=smtp://user:password@host:587",
        "set MUBIAO_SMTP_URL=smtp://user:password@host:587",
    ),
    "secret": ("通道 {name}：{why}", "channel {name}: {why}"),
    "secret.fix": ("设置 {variable}", "set {variable}"),
    "unused": ("通道 {name}：没有订阅使用它", "channel {name}: no subscription uses it"),
}
