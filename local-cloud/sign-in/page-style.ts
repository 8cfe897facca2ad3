/** The style of the stand-in's pages. It is put into a style element, so it must hold no `<`. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #eef2f3; --card: #fff; --edge: rgb(15 40 45 / .14); --text: #16232a; --soft: #566771;
  --accent: #1f736d; --on-accent: #fff; --hover: rgb(31 115 109 / .08); --warn: #7a4a06; --warn-ground: #fdf1dc;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --card: #161c24; --edge: rgb(255 255 255 / .14); --text: #eef2f5; --soft: #9daab6;
    --accent: #5fc2b6; --on-accent: #06201e; --hover: rgb(95 194 182 / .1); --warn: #f0c987; --warn-ground: #33270f;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; min-height: 100vh; padding: 20px; display: grid; place-items: center;
  background: var(--ground); color: var(--text);
}
main {
  width: min(27rem, 100%); padding: 28px; border: 1px solid var(--edge); border-radius: 18px; background: var(--card);
}
h1 { margin: 18px 0 4px; font-size: 1.35rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance }
h2 { margin: 24px 0 8px; font-size: .8rem; font-weight: 600; color: var(--soft) }
p { margin: 0 0 8px; color: var(--soft); overflow-wrap: anywhere }
.notice {
  margin: 0; padding: 10px 14px; border-radius: 10px; background: var(--warn-ground); color: var(--warn);
  font-size: .9rem;
}
.fault { margin: 8px 0; color: var(--warn); font-weight: 600 }
ul { list-style: none; margin: 0; padding: 0 }
li + li { margin-top: 8px }
button {
  width: 100%; min-height: 44px; padding: 8px 14px; border: 1px solid var(--edge); border-radius: 10px;
  background: transparent; color: inherit; font: inherit; cursor: pointer;
}
button:hover { background: var(--hover); border-color: var(--accent) }
.person { display: flex; align-items: center; gap: 12px; text-align: left }
.person img { border-radius: 50%; flex: none }
.person span { min-width: 0; overflow-wrap: anywhere }
.person small { display: block; color: var(--soft); line-height: 1.3 }
.person.suggested { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent) }
.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600 }
.main:hover { background: var(--accent); filter: brightness(1.08) }
label { display: block; margin: 10px 0 4px; font-size: .9rem }
input {
  width: 100%; min-height: 44px; padding: 8px 12px; border: 1px solid var(--edge); border-radius: 10px;
  background: var(--ground); color: inherit; font: inherit;
}
form .main, .cancel { margin-top: 14px }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
code { font-size: .9em; overflow-wrap: anywhere }
`
