"""Amounts in minor units with a currency of ISO 4217."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.contracts.envelope import Data

#: Active currency codes of ISO 4217 (funds, metals and testing codes left out).
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
    "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR "
    "RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD "
    "TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "
)
CURRENCIES = frozenset(_CODES.split())


def _known(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"{code[:10]!r} is not a currency code of ISO 4217, such as CNY or USD")
    return code


Currency = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": sorted(CURRENCIES)}, examples=["CNY"])
]


class Amount(Data, extra="forbid"):
    """A positive amount in the currency's minor units (分, cents)."""

    amount_minor: Annotated[int, Field(strict=True, ge=1, le=10**15, examples=[50_000])]
    currency: Currency = "CNY"
