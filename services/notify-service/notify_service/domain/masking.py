"""How an address is shown wherever it need not be whole (A6)."""

from shared.contracts.vocabulary import Means


def masked(means: Means, address: str) -> str:
    """``+8613812341234`` → ``138****1234``, ``wang@example.com`` → ``w***@example.com``. Notices have no address."""
    match means:
        case Means.SMS:
            digits = address.removeprefix("+86")
            return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "****"
        case Means.EMAIL:
            local, _, domain = address.rpartition("@")
            return f"{local[:1]}***@{domain}"
        case Means.WECOM:
            return f"{address[:2]}***" if len(address) > 4 else "***"
        case Means.DINGTALK:
            return "***"
        case Means.IN_SYSTEM:
            return ""
