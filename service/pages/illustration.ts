import { type Html, trusted } from "./html.ts"

/** A desktop with a terminal and a browser on it, drawn. It says nothing the words beside it do not say. */
export const illustration = (): Html =>
  trusted(`<svg class="picture" viewBox="0 0 520 380" aria-hidden="true" focusable="false">
<rect class="p-tab" x="8" y="8" width="504" height="356" rx="20"/>
<path class="p-line" d="M8 50h504"/>
<circle class="p-dot" cx="34" cy="29" r="5"/><circle class="p-dot" cx="52" cy="29" r="5"/><circle class="p-dot" cx="70" cy="29" r="5"/>
<rect class="p-field" x="98" y="18" width="300" height="22" rx="11"/>
<path class="p-lock" d="M112 28h8v6h-8zM113.5 28v-2a2.5 2.5 0 0 1 5 0v2"/><rect class="p-ink faint" x="128" y="26" width="150" height="6" rx="3"/>
<rect class="p-desk" x="20" y="60" width="480" height="292" rx="12"/>
<g class="p-browser"><rect class="p-window" x="196" y="84" width="284" height="190" rx="10"/><path class="p-line" d="M196 110h284"/>
<rect class="p-field" x="212" y="91" width="120" height="12" rx="6"/>
<rect class="p-tint" x="214" y="126" width="116" height="72" rx="7"/><path class="p-chart" d="M226 182l22-18 18 10 26-28 26 14"/>
<rect class="p-ink" x="346" y="128" width="114" height="8" rx="4"/><rect class="p-ink faint" x="346" y="146" width="98" height="6" rx="3"/><rect class="p-ink faint" x="346" y="160" width="108" height="6" rx="3"/><rect class="p-ink faint" x="346" y="174" width="76" height="6" rx="3"/>
<rect class="p-ink faint" x="214" y="214" width="246" height="6" rx="3"/><rect class="p-ink faint" x="214" y="228" width="220" height="6" rx="3"/><rect class="p-accent" x="214" y="244" width="74" height="16" rx="8"/></g>
<g class="p-terminal"><rect class="p-dark" x="44" y="156" width="262" height="172" rx="10"/><path class="p-dark-line" d="M44 180h262"/>
<circle class="p-dark-dot" cx="60" cy="168" r="3.5"/><circle class="p-dark-dot" cx="72" cy="168" r="3.5"/><circle class="p-dark-dot" cx="84" cy="168" r="3.5"/>
<path class="p-prompt" d="M60 196l5 4-5 4M60 220l5 4-5 4M60 292l5 4-5 4"/>
<rect class="p-code" x="74" y="197" width="92" height="6" rx="3"/><rect class="p-code" x="74" y="221" width="58" height="6" rx="3"/><rect class="p-code warm" x="138" y="221" width="70" height="6" rx="3"/>
<rect class="p-code dim" x="60" y="241" width="170" height="6" rx="3"/><rect class="p-code dim" x="60" y="257" width="206" height="6" rx="3"/><rect class="p-code good" x="60" y="273" width="120" height="6" rx="3"/>
<rect class="p-caret" x="74" y="290" width="7" height="12" rx="1.5"/></g>
</svg>`)
