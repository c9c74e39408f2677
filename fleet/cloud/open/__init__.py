"""The Open API as developers' programs see it: gateway, codes, tokens and the calls behind them."""
