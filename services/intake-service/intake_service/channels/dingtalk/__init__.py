"""DingTalk 钉钉: a robot as a channel."""

from intake_service.channels.dingtalk.kind import KIND

__all__ = ["KIND"]
