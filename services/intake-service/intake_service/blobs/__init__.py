"""Where files lie: by the SHA-256 of their content, in a folder or in S3, streamed both ways.

Invariant: whatever `put` answered with can be read back whole, and what is half written can't be read at all.
"""

from intake_service.blobs.clamd import CannotScan, Clamd, ScannerAway
from intake_service.blobs.files import FileBlobs
from intake_service.blobs.port import BLOCK, Blobs, BlobsAway, NoSuchBlob, Stored, TooLong
from intake_service.blobs.sniff import EMPTY, UNKNOWN, sniff

__all__ = [
    "BLOCK",
    "EMPTY",
    "UNKNOWN",
    "Blobs",
    "BlobsAway",
    "CannotScan",
    "Clamd",
    "NoSuchBlob",
    "ScannerAway",
    "Stored",
    "TooLong",
    "open_blobs",
    "sniff",
]


def open_blobs(url: str) -> Blobs:
    """`file:///folder` or `s3://bucket/prefix?region=…&endpoint=…`; nothing is touched before the first file comes.

    Raises `ValueError` for any other.
    """
    if url.startswith("file://"):
        return FileBlobs.of_url(url)
    if url.startswith("s3://"):
        from intake_service.blobs.s3 import S3Blobs  # its client is 15 MB that only those load who use it

        return S3Blobs.of_url(url)
    raise ValueError(f"{url!r} is neither file:///folder nor s3://bucket/prefix")
