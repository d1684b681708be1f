"""The operator's page: dehydrated's files read as they are, into one frozen Settings. Pure: text comes from outside."""
