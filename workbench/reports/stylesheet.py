"""The look of reports, on a screen and on paper; colours are those of the figures."""

__all__ = ["STYLESHEET"]

STYLESHEET = """
:root { --ink: #1f2933; --muted: #5f6b7a; --line: #e4e7eb; --soft: #f7f8fa; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: white; line-height: 1.6;
  font-family: system-ui, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
.language { position: absolute; opacity: 0; }
nav { display: flex; justify-content: flex-end; gap: 0.4rem; max-width: 60rem; margin: 1rem auto 0;
  padding: 0 1.5rem; }
nav label { padding: 0.15rem 0.8rem; border: 1px solid var(--line); border-radius: 1rem; cursor: pointer;
  color: var(--muted); font-size: 0.9rem; }
#show-zh:checked ~ nav label[for=show-zh], #show-en:checked ~ nav label[for=show-en] {
  color: white; background: var(--blue); border-color: var(--blue); }
#show-zh:focus-visible ~ nav label[for=show-zh], #show-en:focus-visible ~ nav label[for=show-en] {
  outline: 2px solid var(--ink); outline-offset: 2px; }
#show-zh:checked ~ main.en, #show-en:checked ~ main.zh { display: none; }
main { max-width: 60rem; margin: 0 auto; padding: 0 1.5rem 3rem; }
h1 { margin: 0.2rem 0 0; font-size: 2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
h2 { margin: 2.4rem 0 0.6rem; padding-bottom: 0.3rem; font-size: 1.2rem; font-weight: 600;
  border-bottom: 1px solid var(--line); }
.under { margin: 0.2rem 0 1.4rem; color: var(--muted); }
.badge { display: inline-block; margin-left: 0.6rem; padding: 0.1rem 0.7rem; border-radius: 1rem;
  font-size: 0.9rem; font-weight: 600; vertical-align: middle; }
.good { color: #00694d; background: #e3f4ee; }
.fair { color: #7a5300; background: #fcf1da; }
.bad { color: #9c3d00; background: #fbe9df; }
.verdict { padding: 0.9rem 1.1rem; border-left: 5px solid; border-radius: 4px; font-size: 1.06rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.5rem 1.4rem; margin: 1.2rem 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-line; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.95rem; }
th, td { padding: 0.4rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { color: var(--muted); font-weight: 500; }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.short, thead th { white-space: nowrap; }
td small { display: block; color: var(--muted); font-size: 0.85em; }
td.text { min-width: 12rem; overflow-wrap: anywhere; }
figure { margin: 1.6rem 0; break-inside: avoid; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.pair { display: flex; flex-wrap: wrap; gap: 0 1.2rem; }
.pair figure { flex: 1 1 20rem; min-width: 0; }
.note { color: var(--muted); font-size: 0.9rem; }
@media print {
  @page { margin: 16mm 14mm; }
  nav { display: none; }
  main { max-width: none; padding: 0; }
  /* Sizes are in rem, which goes by the root; two figures fit on a page. */
  html { font-size: 9.5pt; }
  body { line-height: 1.5; }
  h1 { font-size: 1.7rem; }
  h2 { margin-top: 1.6rem; }
  th, td { padding: 0.28rem 0.5rem; }
  figure { margin: 0.9rem 0; }
  figure img { max-height: 80mm; width: auto; }
  figure.tall img { max-height: 235mm; }
  h2 { break-after: avoid; }
  tr, dl > *, .verdict { break-inside: avoid; }
  thead { display: table-header-group; }
  .badge, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
