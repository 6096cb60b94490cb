"""Words of a dry run: what was fetched and why it was read so, and what may help where it failed."""

from __future__ import annotations

from monitor.i18n import Texts

TEXTS: Texts = {
    "fetched.none": ("没有得到回应", "no answer"),
    "timing": ("{ms} 毫秒（不含排队等待）", "{ms} ms, waiting in the host's queue not counted"),
    "robots.off": ("未理会（respect_robots: false）", "ignored (respect_robots: false)"),
    "robots.unread": ("没有读到", "not read"),
    "robots.none": ("允许：该站没有规则", "allowed: the site has no rules"),
    "robots.allowed": ("允许", "allowed"),
    "robots.refused": ("不允许：{why}", "not allowed: {why}"),
    "robots.path": ("规则禁止这个地址", "its rules exclude this address"),
    "robots.delay": ("，Crawl-delay {seconds} 秒", ", Crawl-delay {seconds} s"),
    "decoded": (
        "{encoding}：{why}；{lost} 个字符无法读出",
        "{encoding}: {why}; {lost:character/characters} could not be read",
    ),
    "how.bom": ("文件开头的标记（BOM）如此", "the byte order mark says so"),
    "how.utf-8": ("字节是有效的 UTF-8，与声明无关", "the bytes are valid UTF-8, whatever is declared"),
    "how.http": ("HTTP 头如此声明", "the HTTP header says so"),
    "how.meta": ("网页 meta 标签如此声明", "the page's meta tag says so"),
    "how.bytes": ("没有声明或声明有误，字节看来如此", "nothing is declared, or wrongly; the bytes look like it"),
    "how.detector": ("由检测器判断", "a detector says so"),
    "tls.insecure": ("证书未经验证（tls: insecure）", "the certificate is not verified (tls: insecure)"),
    "proxy": (
        "经由代理 {proxy}；域名由代理解析，不经我们检查",
        "through {proxy}, which resolves names: they are not judged here",
    ),
    "fix.dns": ("检查网址中的主机名，或本机的 DNS", "check the host name of url:, or this machine's DNS"),
    "fix.refused": (
        "检查网址的端口；该站可能只接受 http 或 https",
        "check the port of url:; the site may speak only http or only https",
    ),
    "fix.tls": (
        "按提示设置 tls:（docs/sources.md）；服务器只会 http 时改 url:",
        "set tls: as the message says (docs/sources.md); where the server only speaks http, change url:",
    ),
    "fix.timeout": ("加大 timeout:，或稍后再试", "raise timeout:, or try later"),
    "fix.reset": ("稍后再试；旧服务器可试 http:// 或 tls:", "try later; for an old server try http:// or another tls:"),
    "fix.truncated": ("稍后再试；回应不完整", "try later: the answer was not complete"),
    "fix.too_large": ("网页确实这么大时，加大 max_bytes:", "raise max_bytes:, if the page is really so large"),
    "fix.redirect_loop": ("把 url: 改为最终地址", "give the final address as url:"),
    "fix.redirect_home": ("页面可能已撤；把 url: 改为新的地址", "the page may be gone: give its new address as url:"),
    "fix.moved": ("确认后把 url: 改为新的地址", "if the new address is right, give it as url:"),
    "fix.http_403": (
        "该站拒绝访问；可联系网站，或 enabled: false",
        "the site refuses: ask its owner, or set enabled: false",
    ),
    "fix.http_404": ("检查 url:；页面不存在", "check url:; there is no such page"),
    "fix.http_410": ("页面已永久撤下；改 url:", "the page was taken down for good: change url:"),
    "fix.http_4xx": ("检查 url:；若为 429，加大 delay:", "check url:; for 429 raise delay:"),
    "fix.http_5xx": ("服务器出错，稍后再试", "the server is in trouble: try later"),
    "fix.blocked_challenge": (
        "该站要求浏览器验证，我们不绕过；可试其他栏目或联系网站",
        "the site wants a browser to prove itself, which is not passed: use another page of it, or ask its owner",
    ),
    "fix.blocked_waf": (
        "防火墙拦截；加大 delay: 或联系网站",
        "a firewall refuses: raise delay:, or ask the site's owner",
    ),
    "fix.login": ("需要登录的页面不能监测", "pages behind a log-in cannot be watched"),
    "fix.maintenance": ("网站维护中，稍后再试", "the site is being maintained: try later"),
    "fix.soft_404": ("检查 url:；页面不存在", "check url:; there is no such page"),
    "fix.empty": (
        "正文由脚本生成时设 render: browser；否则设 selector:",
        "render: browser where scripts make the text; else a selector:",
    ),
    "fix.304": (
        "服务器或其缓存出错；稍后再试，或在 url: 后加参数（?1）绕过缓存",
        "the server, or a cache before it, errs: try later, or add a parameter (?1) to url: to pass the cache",
    ),
    "fix.wrong_document": ("检查 selector:；列表页设 kind: listing", "check selector:; for a list set kind: listing"),
    "fix.collapsed": ("检查 selector:", "check selector:"),
    "fix.lossy_decode": ("网站编码有误，稍后再试", "the site's encoding is broken: try later"),
    "fix.not_html": ("不是网页；文件用 mubiao import 读入", "this is no page; files are read with mubiao import"),
    "fix.robots": (
        "该站不许读取；得到许可时设 respect_robots: false",
        "the site does not want it read; with its permission set respect_robots: false",
    ),
    "fix.guard": ("见上：network: 中可放行的地址或端口", "see above: what network: would have to allow"),
    "fix.held": ("该站要求稍后再来，到时会再试", "the site asked for patience: it is tried again then"),
}
