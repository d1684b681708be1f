"""certkeeper pdns-hook: what dehydrated calls in the place of pdns_api.sh."""
