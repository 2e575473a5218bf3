// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace lhsm::pages {

/// The style sheet of a report, for light and dark, screen and paper.
inline constexpr const char* k_page_style = R"css(
:root { color-scheme: light dark; --page: #f4f6f8; --card: #fff; --text: #1c2733; --muted: #5b6876; --line: #dde3e9; --grid: #e8ecf0;
  --blue: #2f6fde; --teal: #12908e; --green: #2b9348; --amber: #c77700; --red: #cf2f3c; --gray: #9aa6b2; --track: #eef1f4;
  --hover: rgba(40, 60, 90, .09); }
@media (prefers-color-scheme: dark) {
  :root { --page: #10151b; --card: #181f27; --text: #e4eaf0; --muted: #94a2b1; --line: #2b3540; --grid: #26303a;
    --blue: #6ea0ff; --teal: #3fc1bd; --green: #57c777; --amber: #f0a63a; --red: #ff6b73; --gray: #66737f; --track: #202932;
    --hover: rgba(220, 230, 255, .10); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
  "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 25px; line-height: 1.25; margin: 0 0 4px; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0 0 2px; font-weight: 650; }
p { margin: 0; }
.sub, .note, .legend, footer { color: var(--muted); font-size: 13px; overflow-wrap: anywhere; }
.note { margin-bottom: 10px; }
header { margin-bottom: 20px; }
.state { display: inline-block; padding: 1px 11px; border-radius: 99px; font-size: 13px; font-weight: 600; color: #fff; margin-right: 8px;
  vertical-align: 3px; background: var(--gray); }
.state.good { background: #2b8745; } .state.bad { background: #c22a37; } .state.open { background: #b06a00; } .state.live { background: #2b65cc; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin-bottom: 16px; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin-bottom: 16px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 23px; line-height: 1.25; font-weight: 650; white-space: nowrap; }
.tile span { color: var(--muted); font-size: 13px; }
.tile.bad b { color: var(--red); } .tile.open b { color: var(--amber); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; align-items: stretch; margin-bottom: 16px; }
.pair section { margin: 0; min-width: 0; }
@media (max-width: 760px) { .pair { grid-template-columns: 1fr; } .tiles { grid-template-columns: 1fr 1fr; }
  section { overflow-x: auto; } main > section > svg { min-width: 640px; } td.path { min-width: 280px; } }
.shares { display: flex; height: 16px; border-radius: 5px; overflow: hidden; background: var(--track); margin: 10px 0 12px; gap: 1px; }
.shares i { min-width: 3px; }
.done { background: var(--green); } .already { background: var(--teal); } .skipped { background: var(--gray); }
.failed, .refused, .cancelled { background: var(--red); } .refused { opacity: .75; } .cancelled { opacity: .5; } .pending { background: var(--track); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--muted); font-weight: 500; font-size: 13px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > td { border-bottom: 0; }
td.n, th.n, .small td + td, .small th + th { text-align: right; white-space: nowrap; }
td.path, td code, .remedy code { overflow-wrap: anywhere; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 12.5px; }
.remedy { max-width: 460px; } .remedy code { display: block; color: var(--muted); }
.nowrap { white-space: nowrap; } .small { margin-top: 8px; font-size: 13px; } .small th, .small td { padding-top: 3px; padding-bottom: 3px; }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 5px 0 10px; vertical-align: -1px; }
.key:first-child { margin-left: 0; } span.key.files { background: var(--blue); } span.key.bytes { background: var(--teal); }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font-size: 12px; fill: var(--muted); } .pair svg text { font-size: 11px; }
.grid { stroke: var(--grid); fill: none; } .break { stroke: var(--muted); stroke-dasharray: 4 4; fill: none; opacity: .8; }
.area { fill-opacity: .22; stroke-width: 1.5; stroke-linejoin: round; } .area.files { fill: var(--blue); stroke: var(--blue); }
.area.bytes { fill: var(--teal); stroke: var(--teal); } .marks { fill: var(--red); }
.bar.files { fill: var(--blue); } .bar.bytes { fill: var(--teal); } .track { fill: var(--track); } .heat { fill: var(--blue); }
.spot { fill: transparent; } .spot:hover { fill: var(--hover); }
@media print { body { background: #fff; } section, .tile { break-inside: avoid; } }
)css";

}  // namespace lhsm::pages
