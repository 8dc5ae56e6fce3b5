-- The directory of Addressee, version 1. Needs SQLite 3.37 or later, for STRICT tables.
--
-- Addressee applies this file itself ("addressee init"). It is here to be read: every table may be queried by hand.
-- Write with the commands of addressee where you can: they keep "name" in step and fold the keys; SQL cannot fold.
--
-- Every name is kept twice. The *key* is what is compared: lower case (NFC first when it is not ASCII), and A-labels
-- for domains. The other column is the spelling as it was given, and NULL when that is the key itself.
-- Local-parts have their quoting undone: "fred claude"@example.org is kept as: fred claude.

-- The domains that are served.
CREATE TABLE domain (
    id                   INTEGER PRIMARY KEY,
    key                  TEXT NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 255),
    name                 TEXT,
    -- local: a name that is not on record is unknown. relay: mail is passed on, names need not be on record.
    -- alias: another name of the domain in target_key, where an address that is not found here is looked up.
    kind                 TEXT NOT NULL DEFAULT 'local' CHECK (kind IN ('local', 'relay', 'alias')),
    target_key           TEXT,
    target               TEXT,
    -- The mailbox to which mail goes for names that are not on record; NULL: there is none.
    catch_all_key        TEXT,
    catch_all_local_part TEXT,
    catch_all_domain_key TEXT,
    catch_all_domain     TEXT,
    -- The characters any of which ends the user part of a local-part (RFC 5233); empty: no details here.
    detail_separators    TEXT NOT NULL DEFAULT '+',
    CHECK ((kind = 'alias') = (target_key IS NOT NULL)),
    CHECK ((catch_all_key IS NULL) = (catch_all_domain_key IS NULL))
) STRICT;

CREATE INDEX domain_target ON domain (target_key) WHERE target_key IS NOT NULL;
CREATE INDEX domain_catch_all ON domain (catch_all_domain_key, catch_all_key) WHERE catch_all_key IS NOT NULL;

-- What stands at an address. The primary key sees to it that this is one thing only; a forward alone may share the
-- address of a user, and then it is in the user's row. So one seek tells all that most questions want to know.
-- "key" comes first, for a bare name is looked for in every domain.
CREATE TABLE entry (
    key        TEXT NOT NULL CHECK (length(key) > 0),
    domain_id  INTEGER NOT NULL REFERENCES domain (id),
    -- forward: a forward where there is no user. moved: the user has gone.
    kind       TEXT NOT NULL CHECK (kind IN ('user', 'alias', 'forward', 'moved', 'list')),
    local_part TEXT,
    -- Of a user: NULL is active.
    status     TEXT CHECK (status IN ('disabled', 'suspended', 'full')),
    -- How the forward here is answered for (auto, 250, 251); NULL: there is no forward.
    forward    TEXT CHECK (forward IN ('auto', '250', '251')),
    keep_copy  INTEGER NOT NULL DEFAULT 0 CHECK (keep_copy IN (0, 1)),
    -- The full name of a user, or the title of a list; NULL: none.
    full_name  TEXT CHECK (full_name <> ''),
    -- The login name of a user.
    login_key  TEXT CHECK (login_key <> ''),
    login      TEXT,
    -- Who may see the members of a list by EXPN.
    expn       TEXT CHECK (expn IN ('anyone', 'trusted', 'nobody')),
    PRIMARY KEY (key, domain_id),
    CHECK (kind = 'user' OR (status IS NULL AND login_key IS NULL)),
    CHECK (kind IN ('user', 'list') OR full_name IS NULL),
    CHECK (kind IN ('user', 'forward') OR forward IS NULL),
    CHECK (kind <> 'forward' OR forward IS NOT NULL),
    CHECK (forward IS NOT NULL OR keep_copy = 0),
    CHECK (login IS NULL OR login_key IS NOT NULL),
    CHECK ((kind = 'list') = (expn IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The records of a domain, by kind, in order.
CREATE INDEX entry_domain ON entry (domain_id, kind, key);
CREATE INDEX entry_forward ON entry (domain_id, key) WHERE forward IS NOT NULL;
-- A login name is one user's.
CREATE UNIQUE INDEX entry_login ON entry (login_key) WHERE login_key IS NOT NULL;

-- Where an entry points: the targets of an alias or a forward, the members and the owner of a list, the new address of
-- a user who has moved. The address pointed to may be anywhere.
CREATE TABLE reference (
    key           TEXT NOT NULL,
    domain_id     INTEGER NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('target', 'member', 'owner', 'new address')),
    -- The order in which they were given.
    position      INTEGER NOT NULL,
    to_key        TEXT NOT NULL CHECK (length(to_key) > 0),
    to_local_part TEXT,
    to_domain_key TEXT NOT NULL CHECK (length(to_domain_key) > 0),
    to_domain     TEXT,
    -- The name shown for a member when its mailbox has none on record.
    name          TEXT CHECK (name <> ''),
    PRIMARY KEY (key, domain_id, role, position),
    FOREIGN KEY (key, domain_id) REFERENCES entry (key, domain_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Who points to an address, or into a domain.
CREATE INDEX reference_to ON reference (to_domain_key, to_key);

-- The full names of users, folded, and each whole word of them: how "VRFY claude" finds Fred Claude. It has no foreign
-- key, which would need a second index as large as the table; a row that no entry answers to is passed over.
CREATE TABLE name (
    word      TEXT NOT NULL,
    key       TEXT NOT NULL,
    domain_id INTEGER NOT NULL,
    PRIMARY KEY (word, key, domain_id)
) STRICT, WITHOUT ROWID;

-- By these two numbers Addressee knows the file for its own ("Addr" in ASCII), and its version.
PRAGMA application_id = 0x41646472;
PRAGMA user_version = 1;
