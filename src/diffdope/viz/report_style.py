"""Look of the HTML report, and the few lines that sort its tables; it is complete without them."""

STYLE = """
body{font:14px/1.45 system-ui,sans-serif;color:#1c2126;background:#fff;margin:2em auto;max-width:1500px;padding:0 1.5em}
h1{font-size:1.5em;margin-bottom:.3em}h2{font-size:1.2em;margin:1.8em 0 .5em;border-bottom:1px solid #d5d9de}
h3{font-size:1em;margin:1.2em 0 .4em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;margin:.4em 0}dt{color:#68717a}dd{margin:0}
.tiles{display:flex;flex-wrap:wrap;gap:.6em;margin:1em 0}
.tiles div{border:1px solid #d5d9de;border-radius:6px;padding:.5em .9em;color:#68717a;font-size:.85em}
.tiles b{display:block;font-size:1.5em;color:#1c2126}
.notes{color:#68717a;padding-left:1.2em}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
table{font-size:.9em}th,td{padding:.2em .45em;text-align:right;white-space:nowrap;position:relative}
th{border-bottom:1px solid #1c2126;cursor:pointer;font-weight:600}tbody tr:nth-child(even){background:#f5f7f9}
td i{position:absolute;left:0;bottom:1px;height:4px;background:#7fb38b}td span{position:relative}
.bad{color:#b8402a;font-weight:600}
.strip{display:flex;flex-wrap:wrap;gap:.8em}figure{margin:0;width:230px}
figure img{max-width:100%;max-height:230px;display:block}
figcaption{font-size:.8em;color:#3a424a;margin-top:.2em}.none{background:#eceff2;height:120px;padding:1em;color:#68717a}
.key b{padding:.1em .6em;border-radius:3px;color:#fff}.truth{background:#e02bb8}.estimate{background:#1fae46}
img{max-width:100%}pre{background:#f5f7f9;padding:1em;overflow-x:auto;font-size:.85em}
"""

SCRIPT = """
document.querySelectorAll('th').forEach(function(th){th.onclick=function(){
var body=th.closest('table').tBodies[0],k=th.cellIndex,up=th.dataset.up!=='1';th.dataset.up=up?'1':'0';
var value=function(row){var cell=row.cells[k];return +(cell.dataset.v||cell.textContent)};
Array.from(body.rows).sort(function(a,b){return(value(a)-value(b))*(up?1:-1)}).forEach(function(row){body.append(row)})}});
"""
