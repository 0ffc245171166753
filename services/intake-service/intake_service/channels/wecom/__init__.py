"""WeCom 企业微信: customer service 微信客服 as a channel."""

from intake_service.channels.wecom.kind import KIND

__all__ = ["KIND"]
