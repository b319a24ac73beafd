"""Pure functions from a network or a trace to a figure, to component data or to text; no Streamlit inside."""
