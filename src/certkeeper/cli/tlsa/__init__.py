"""certkeeper tlsa …"""
