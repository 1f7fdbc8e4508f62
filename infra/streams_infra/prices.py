"""List prices, for the estimates on the dashboard and in the README. Dollars; no free tier, no discount, no tax."""

from __future__ import annotations

REGION = "us-east-1"
AS_OF = "the end of 2025"

_MILLION = 1_000_000

GATEWAY_REQUEST = 3.50 / _MILLION
FUNCTION_REQUEST = 0.20 / _MILLION
FUNCTION_GIGABYTE_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
TABLE_WRITE = 0.625 / _MILLION
TABLE_READ_STRONG = 0.125 / _MILLION
TABLE_READ_EVENTUAL = 0.0625 / _MILLION
BUCKET_WRITE = 5.00 / _MILLION
BUCKET_READ = 0.40 / _MILLION
BUCKET_GIGABYTE_MONTH = 0.023
LOG_GIGABYTE = 0.50
TRANSFER_GIGABYTE = 0.09
METRIC_MONTH = 0.30
ALARM_MONTH = 0.10
DASHBOARD_MONTH = 3.00

# What each counted request to AWS costs; lists are priced like writes. A query of the index is not a strong read.
AWS_REQUESTS: dict[str, float] = {
    "dynamodb.GetItem": TABLE_READ_STRONG,
    "dynamodb.PutItem": TABLE_WRITE,
    "dynamodb.UpdateItem": TABLE_WRITE,
    "dynamodb.Query": TABLE_READ_EVENTUAL,
    "s3.GetObject": BUCKET_READ,
    "s3.PutObject": BUCKET_WRITE,
    "s3.ListObjectsV2": BUCKET_WRITE,
    # Deletes are free.
    "s3.DeleteObject": 0.0,
    "s3.DeleteObjects": 0.0,
}
