<%page expression_filter="h"/>\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${page.title}</title>
<style>
:root { color-scheme: light dark; --line: #888; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; }
body { overflow-wrap: anywhere; } ul { padding-left: 1.2rem; }
code, pre, svg text { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.85rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: 0.5rem; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; }
svg text { font-size: 12px; fill: currentColor; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: 0.25rem 0.5rem 0.25rem 0; }
dt { font-weight: bold; } dd { margin: 0 0 0.5rem 0; }
.loud { border: 3px solid; padding: 0.5rem 1rem; font-weight: bold; }
@media print { body { max-width: none; color: #000; background: #fff; } section { break-inside: auto; } svg, tr, pre { break-inside: avoid; } }
</style>
</head>
<body>
<header>
<h1>${page.title}</h1>
<dl>
<dt>Made</dt><dd>${page.made} by alembic-rollback ${page.version}</dd>
% if page.command:
<dt>To run exactly this</dt><dd><code>${page.command}</code></dd>
% endif
</dl>
<p>A dry run: nothing was changed.</p>
</header>
<main>
% for one in page.databases:
<section aria-label="Database ${one.name}">
<h2>Database ${one.name}</h2>
% if not one.steps:
<p>Nothing to roll back.</p>
% else:
<p class="loud">${one.harm}</p>
% for note in one.notes:
<p>${note}</p>
% endfor
% if one.drawing:
<h3>What goes, and what hangs on it</h3>
${one.drawing | n}
% endif
<h3>What is lost</h3>
% if one.tables:
<table>
<thead><tr><th scope="col">Table</th><th scope="col">What</th><th scope="col">How many</th></tr></thead>
<tbody>
% for table, what, number in one.tables:
<tr><td><code>${table}</code></td><td>${what}</td><td>${number}</td></tr>
% endfor
</tbody>
</table>
% else:
<p>No rows and no values that are known of.</p>
% endif
% if one.findings:
<h3>Checks</h3>
<ul>
% for finding in one.findings:
<li><strong>${finding.level}</strong> ${finding.check}: ${finding.message}
% if finding.next_step:
<br>${finding.next_step}
% endif
</li>
% endfor
</ul>
% endif
% if one.later:
<h3>Applied later, and staying applied</h3>
<ul>
% for title in one.later:
<li>${title}</li>
% endfor
</ul>
% endif
<h3>Revisions, in this order</h3>
% for step in one.steps:
<h4>${step.title}</h4>
<ul>
% for line in step.lines:
<li>${line}</li>
% endfor
</ul>
<p><code>${step.path}</code></p>
% if step.sql is None:
<p>A Python revision: its downgrade() is run.</p>
% else:
<pre>${step.sql}</pre>
% endif
% endfor
% endif
</section>
% endfor
</main>
</body>
</html>
