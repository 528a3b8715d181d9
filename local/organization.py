"""What the gateway answers about an organization: pages, enabled Regions, and what is in an account and Region.

ministack returns every list whole, and every account has the same Regions enabled. AWS returns pages, and refuses valid
credentials in a Region that their account has not enabled.
"""

from typing import Any

# The lists of AWS Organizations: operation to the member that holds the items.
LISTS = {
    "ListAccounts": "Accounts", "ListAccountsForParent": "Accounts", "ListOrganizationalUnitsForParent": "OrganizationalUnits",
    "ListRoots": "Roots",
}
# AWS returns at most 20 items, and sometimes fewer.
PAGE = 7
# The words of EC2 and of other services for credentials that are not known.
UNKNOWN_TOKEN = "The security token included in the request is invalid."
# The id of an organization in ARNs. ministack gives every account an organization of its own.
ID = "o-a1b2c3d4e5"
# Services with one endpoint in a partition, which answer whatever Region is enabled.
GLOBAL_SERVICES = ("iam", "organizations", "account")


def page(answer: dict[str, Any], member: str, token: str) -> dict[str, Any]:
    """One page of a list. The token is the index of its first item."""
    items, first = answer[member], int(token or 0)
    result = answer | {member: items[first : first + PAGE]}
    if first + PAGE < len(items):
        result["NextToken"] = str(first + PAGE)
    return result


def with_states(answer: dict[str, Any], enabled: list[str], asked: list[str], token: str) -> dict[str, Any]:
    """ListRegions: the Regions that ministack knows, each with its state in an account."""
    regions = [
        {"RegionName": region["RegionName"], "RegionOptStatus": "ENABLED_BY_DEFAULT" if region["RegionName"] in enabled else "DISABLED"}
        for region in answer["Regions"]
    ]
    return page({"Regions": [region for region in regions if not asked or region["RegionOptStatus"] in asked]}, "Regions", token)


def is_disabled(enabled: dict[str, list[str]], account: str, region: str, service: str) -> bool:
    """Whether an account has not enabled a Region, so that its endpoint does not know the account's credentials."""
    return service not in GLOBAL_SERVICES and account in enabled and region not in enabled[account]


def of_place(places: dict[str, dict[str, list[dict[str, Any]]]], place: str, name: str, otherwise: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes or sessions of an account and Region, if those of accounts and Regions were set apart."""
    return places.get(place, {}).get(name, []) if places else otherwise


def resource(parent: str) -> str:
    """The ARN of a root or an organizational unit, to be completed by the account; an empty text for neither."""
    kinds = {"r": "root", "ou": "ou"}
    kind = kinds.get(parent.partition("-")[0], "")
    return f"arn:aws:organizations::{{account}}:{kind}/{ID}/{parent}" if kind else ""
