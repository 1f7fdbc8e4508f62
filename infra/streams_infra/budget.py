"""A budget for the month, where the settings ask for one."""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct

from streams_infra.names import entity_name
from streams_infra.settings import Settings

# The names that AWS Cost Explorer has for what we use. A budget by tag would need the tag to be activated first.
SERVICES = (
    "Amazon API Gateway", "AWS Lambda", "Amazon Simple Storage Service", "Amazon DynamoDB", "AmazonCloudWatch")


def add_budget(scope: Construct, topic: sns.ITopic | None, settings: Settings) -> None:
    """Adds the budget of the settings: it counts all that the account spends on the services that we use."""
    if not settings.monthly_budget_dollars:
        return
    if settings.alarm_email:
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="EMAIL", address=settings.alarm_email)
    else:
        assert topic
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)
    budgets.CfnBudget(
        scope, "Budget",
        budget=budgets.CfnBudget.BudgetDataProperty(
            budget_name=entity_name(settings.prefix, "budget"), budget_type="COST", time_unit="MONTHLY",
            budget_limit=budgets.CfnBudget.SpendProperty(amount=settings.monthly_budget_dollars, unit="USD"),
            cost_filters={"Service": list(SERVICES)}),
        notifications_with_subscribers=[
            _notification("ACTUAL", 80, subscriber), _notification("FORECASTED", 100, subscriber)])


def _notification(
    kind: str, percent: int, subscriber: budgets.CfnBudget.SubscriberProperty,
) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind, comparison_operator="GREATER_THAN", threshold=percent,
            threshold_type="PERCENTAGE"),
        subscribers=[subscriber])
