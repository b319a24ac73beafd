"""What all sessions of a server share about running runs: the one manager of jobs, and the followers."""

from __future__ import annotations

import streamlit as st

from explorer.server import follow, jobs, speed


@st.cache_resource(show_spinner=False)
def manager() -> jobs.JobManager:
    """The one manager of this server; `manager().warm_up()` starts a worker ahead of need."""
    return jobs.JobManager()


@st.cache_resource(show_spinner=False)
def followers() -> follow.Followers:
    """What is known of runs, for all sessions."""
    return follow.Followers()


@st.cache_resource(show_spinner=False)
def speeds() -> speed.Speeds:
    """How fast networks are here, as far as it was measured."""
    return speed.Speeds(manager())
