"""How the page looks: one style sheet, for light and dark, paper and small screens. The policy names its hash."""

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;
--ground:#f6f5f1;--sheet:#ffffff;--ink:#1c2427;--soft:#566067;--line:#dfdcd4;--tint:#f0eee8;
--accent:#0b655f;--good:#1d6b45;--waits:#7d5300;--wrong:#a8261c;--unknown:#566067;
--bar-good:#3d9a72;--bar-waits:#bb8114;--bar-wrong:#cf4a3d;--bar-unknown:#858e93;
--wash-good:#e6f2ea;--wash-waits:#faefd6;--wash-wrong:#fbe7e4;--wash-unknown:#eceae4}
@media (prefers-color-scheme:dark){:root{
--ground:#111618;--sheet:#191f22;--ink:#e6eaea;--soft:#a4afb4;--line:#2c3539;--tint:#20282b;
--accent:#69cfc3;--good:#7bd3a1;--waits:#f0ba5a;--wrong:#ff9a8f;--unknown:#a4afb4;
--bar-good:#3f9c74;--bar-waits:#c98f2a;--bar-wrong:#d65a4e;--bar-unknown:#6d777c;
--wash-good:#173026;--wash-waits:#352a12;--wash-wrong:#3b1d1a;--wash-unknown:#252d30}}
*{box-sizing:border-box}
html{background:var(--ground);color:var(--ink);-webkit-text-size-adjust:100%;
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",sans-serif;
font-variant-numeric:tabular-nums}
body{margin:0 auto;max-width:72rem;padding:2.5rem 1.5rem 4rem}
h1,h2,p,ul,dl,figure{margin:0}
h1{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.15rem;line-height:1.3;font-weight:650;letter-spacing:-.005em}
a{color:var(--accent);text-underline-offset:.18em;text-decoration-thickness:.06em}
a:focus-visible,summary:focus-visible{outline:.15rem solid var(--accent);outline-offset:.15rem;border-radius:.2rem}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1.5rem;top:.6rem;background:var(--sheet);padding:.3rem .6rem}
header{margin-bottom:1.75rem}
.eyebrow{color:var(--soft);font-size:.85rem;letter-spacing:.04em;margin-bottom:.35rem}
.verdict{display:flex;gap:.6rem;align-items:center;margin-top:1rem;padding:.85rem 1.1rem;border-radius:.7rem;
font-size:1.1rem;font-weight:600}
.verdict .icon{width:1.4em;height:1.4em}
.numbers{display:flex;flex-wrap:wrap;gap:1rem 2.5rem;margin-top:1.25rem}
.numbers div{min-width:8rem}
dt{color:var(--soft);font-size:.85rem}
dd{margin:0;font-weight:600}
section{background:var(--sheet);border:1px solid var(--line);border-radius:.9rem;padding:1.35rem 1.5rem 1.5rem;
margin-top:1.25rem}
section>h2+*{margin-top:.9rem}
.about{color:var(--soft);font-size:.92rem;max-width:46rem}
section>h2+.about{margin-top:.2rem}
.about+*{margin-top:1rem}
.date{white-space:nowrap}
.clock,.soft{color:var(--soft)}
.clock{font-weight:400;white-space:nowrap;font-size:.88em}
.icon{width:1.1em;height:1.1em;flex:none;vertical-align:-.2em}
.good{color:var(--good)}.waits{color:var(--waits)}.wrong{color:var(--wrong)}.unknown{color:var(--unknown)}
.wash-good{background:var(--wash-good);color:var(--good)}.wash-waits{background:var(--wash-waits);color:var(--waits)}
.wash-wrong{background:var(--wash-wrong);color:var(--wrong)}
.wash-unknown{background:var(--wash-unknown);color:var(--unknown)}
.badge{display:inline-flex;gap:.35em;align-items:center;padding:.1em .6em .1em .45em;border-radius:1em;
font-size:.85rem;font-weight:600}
table{width:100%;border-collapse:collapse;font-size:.94rem}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{text-align:left;vertical-align:top;padding:.7rem 1rem .7rem 0;border-top:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}
thead th{border-top:0;padding-top:0;padding-bottom:.45rem;color:var(--soft);font-size:.82rem;font-weight:500}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:12rem}
h3{font-size:1rem;margin:1.6rem 0 .8rem;font-weight:650}
#certificates .message{min-width:16rem}
td,dd,.badge>span,.verdict>span{overflow-wrap:anywhere}
td p+p,td .badge+p{margin-top:.3rem}
.names,.message{font-weight:400;color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}
.message{color:var(--ink)}
.list{list-style:none;padding:0}
.list li{display:flex;gap:.6rem;padding:.65rem 0;border-top:1px solid var(--line)}
.list li:first-child{border-top:0;padding-top:0}
.list li:last-child{padding-bottom:0}
.list .icon{margin-top:.25em}
.list div{min-width:0;overflow-wrap:anywhere}
td ul{list-style:none;padding:0}
details{margin-top:.35rem}
summary{cursor:pointer;color:var(--accent);font-size:.88rem;font-weight:500}
details p{margin-top:.3rem}
.record{font:.82rem/1.5 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere;
color:var(--soft)}
.timeline{display:block;width:100%;height:auto;overflow:visible;font-family:inherit}
.narrow{display:none}
.timeline .label{font-size:14px;fill:var(--ink)}
.timeline .tick{font-size:12.5px;fill:var(--soft)}
.timeline .strong{fill:var(--ink);font-weight:600}
.timeline .grid{stroke:var(--line)}
.timeline .base{stroke:var(--soft)}
.timeline .today{stroke:var(--ink);stroke-width:1.5}
.timeline .sign{color:inherit}
.timeline .good{color:var(--good)}.timeline .waits{color:var(--waits)}
.timeline .wrong{color:var(--wrong)}.timeline .unknown{color:var(--unknown)}
.bar.good{fill:var(--bar-good)}.bar.waits{fill:var(--bar-waits)}
.bar.wrong{fill:var(--bar-wrong)}.bar.unknown{fill:var(--bar-unknown)}
.over{fill:var(--sheet);opacity:.62}
.renewal{fill:var(--sheet);stroke:var(--ink);stroke-width:1.6}
.column.renewals{fill:var(--bar-good)}
.column.ends{fill:var(--wash-unknown);stroke:var(--bar-unknown)}
.key{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;margin-top:.9rem;color:var(--soft);font-size:.85rem}
.key span{display:inline-flex;gap:.5em;align-items:center}
.key svg{width:1.6em;height:1em;overflow:visible}
.defs{position:absolute;width:0;height:0}
footer{margin-top:2rem;color:var(--soft);font-size:.88rem}
@media (max-width:46rem){
body{padding:1.5rem 1rem 3rem}
section{padding:1.1rem 1rem 1.2rem;border-radius:.75rem}
h1{font-size:1.45rem}
.wide{display:none}.narrow{display:block}
table,tbody,tr,th,td{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tbody tr{padding:.9rem 0;border-top:1px solid var(--line)}
tbody tr:first-child{border-top:0;padding-top:0}
tbody th,tbody td{border:0;padding:.15rem 0;min-width:0}
tbody th{font-size:1rem}
tbody td[data-label]{display:grid;grid-template-columns:6.5rem minmax(0,1fr);column-gap:.75rem}
tbody td[data-label]::before{content:attr(data-label);color:var(--soft);font-size:.85rem;grid-row:1/span 9}
tbody td[data-label]>*{grid-column:2;justify-self:start}
tbody td:empty{display:none}
#certificates .message{min-width:0}
.badge{max-width:100%}}
@media print{html{background:#fff}body{max-width:none;padding:0}section{break-inside:avoid-page;border-color:#bbb}}
"""

DIGEST = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"
"""As a Content-Security-Policy names it."""
