"""The rules of receiving 接收: the standard record, contacts and their masks, who is who, what is missing."""
