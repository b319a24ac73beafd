// Tells Python when the page's theme is not the one that its charts were drawn for; shows nothing.
//
// The pictures of the other components and all text follow the theme in the browser. Plotly's charts carry plain
// colours, and Streamlit does not run the page again when the theme is changed in its menu.

export default function ({ parentElement, data, setTriggerValue }) {
  const host = parentElement.host || parentElement;
  // Streamlit sets the colour scheme on the app; the component inherits it.
  const theme = getComputedStyle(host).colorScheme.includes("dark") ? "dark" : "light";
  if (theme !== data.drawn && host.toldTheme !== theme) {
    host.toldTheme = theme;
    setTriggerValue("changed", theme);
  }
  if (theme === data.drawn) host.toldTheme = null;
}
