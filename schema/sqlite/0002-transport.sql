-- The directory of Addressee, version 2: how the mail of a domain is delivered, for mail servers that ask.

-- TRANSPORT:NEXTHOP, as Postfix has it in transport(5); NULL: as any other mail.
ALTER TABLE domain ADD COLUMN transport TEXT CHECK (length(transport) BETWEEN 2 AND 512);

PRAGMA user_version = 2;
