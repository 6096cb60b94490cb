"""Entries for sources.yaml from a look at the web: of one address, or of the columns of a site. Nothing is stored."""

from monitor.proposal.columns import discover
from monitor.proposal.entry import Proposal, fetching, propose

__all__ = ["Proposal", "discover", "fetching", "propose"]
