"""The pay page: a small public web site for drivers without a contract. Not the control API, and on another port."""

from cms.payweb.app import create_pay_app

__all__ = ["create_pay_app"]
