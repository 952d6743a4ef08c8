/** Colours and type of the picture, for light and dark surroundings. */

/** The style sheet of the picture. */
export const SVG_STYLE = `
:root { --bg: #ffffff; --ink: #1d2330; --muted: #667085; --line: #98a2b3; --code: #a9cbff; --data: #a8e2d4;
  --write: #ffd8a0; --notes: #c2255c; --on-notes: #ffffff; --head: #cdd3dc; --plain: #e9ecf1; --mark: #c2255c; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #13161b; --ink: #e7eaf0; --muted: #9aa4b5; --line: #6b7688; --code: #244f8c; --data: #1c5f55;
    --write: #7a4f12; --notes: #d6336c; --on-notes: #ffffff; --head: #3f4857; --plain: #272c35; --mark: #ff6b9d; }
}
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--ink); }
.back { fill: var(--bg); }
.title { font-size: 16px; font-weight: 600; }
.muted { fill: var(--muted); }
.small { font-size: 11px; }
.address { font: 11px ui-monospace, "DejaVu Sans Mono", monospace; fill: var(--muted); }
.band { stroke: var(--line); stroke-width: 1; }
.code { fill: var(--code); } .data { fill: var(--data); } .write { fill: var(--write); }
.head { fill: var(--head); } .plain { fill: var(--plain); }
.notes { fill: var(--notes); stroke: var(--notes); }
.unseen { fill: var(--plain); stroke: var(--notes); }
.on-notes { fill: var(--on-notes); }
.free { fill: none; stroke-dasharray: 3 3; }
.outline { fill: none; }
.zero { fill: url(#zeros); }
.hatch { stroke: var(--line); stroke-width: 1; }
.note-link { fill: var(--notes); opacity: 0.4; stroke: none; }
.link { opacity: 0.35; stroke: none; }
.gap { stroke: var(--line); stroke-dasharray: 2 4; fill: none; }
.mark { fill: var(--mark); }
.changed { stroke: var(--mark); stroke-width: 2.5; stroke-dasharray: none; }
`;
