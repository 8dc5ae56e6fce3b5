"""Records in the words of the command line, as entries of Addressee's own schema (schema/ldap/addressee.schema).

Written from what the schema's file says and from nothing else, so that it checks what the program reads and writes.
"""

import argparse
import base64
import re
import shlex
import string
import unicodedata

SPACES = " \t\n\v\f\r"


def parser():
    commands = argparse.ArgumentParser(exit_on_error=False)
    commands.add_argument("noun", choices=["domain", "user", "alias", "forward", "moved", "list"])
    commands.add_argument("verb", choices=["add"])
    commands.add_argument("address")
    for option in ["--kind", "--alias-of", "--catch-all", "--detail-separator", "--transport", "--name", "--login", "--status",
                   "--reply", "--owner", "--expn"]:
        commands.add_argument(option)
    for option in ["--to", "--member"]:
        commands.add_argument(option, action="extend", nargs="+", default=[])
    for option in ["--keep-copy", "--force"]:
        commands.add_argument(option, action="store_true")
    return commands


PARSER = parser()


def fold(text):
    """Lower case; NFC first where it is not ASCII."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).lower()


def local_part_key(local_part):
    """Without its quoting, in lower case."""
    if local_part.startswith('"'):
        local_part = re.sub(r"\\(.)", r"\1", local_part[1:-1])
    return fold(local_part)


def domain_key(domain):
    return ".".join(label.encode("idna").decode() for label in domain.split(".")).lower()


def key(address):
    local_part, domain = address.rsplit("@", 1)
    return f"{local_part_key(local_part)}@{domain_key(domain)}"


def name_keys(name):
    """The full name as it is compared, and each whole word of it."""
    whole = fold(" ".join(re.split(f"[{SPACES}]+", name.strip(SPACES))))
    words = [word.strip(string.punctuation) for word in whole.split(" ")]
    return list(dict.fromkeys(text for text in [whole, *words] if text))


def ordered(mailboxes):
    """Values that begin with their number; a member may be written `Name <address>`."""
    values = []
    for number, text in enumerate(mailboxes):
        named = re.fullmatch(r"(.*\S)\s*<(.*)>", text)
        values.append(f"{number} {named[2]} {named[1]}" if named else f"{number} {text}")
    return values


def attributes(record):
    """What one record is made of, as a list of names and values; the object class first."""
    if record.noun == "domain":
        kind = "alias" if record.alias_of else record.kind or "local"
        return [
            ("objectClass", "addresseeDomain"), ("addresseeDomainKey", domain_key(record.address)),
            ("addresseeDomainName", record.address), ("addresseeDomainKind", kind),
            ("addresseeDomainTarget", record.alias_of), ("addresseeCatchAll", record.catch_all),
            ("addresseeDetailSeparators", "none" if record.detail_separator == "" else record.detail_separator),
            ("addresseeTransport", record.transport)] + references([record.catch_all])
    local_part, domain = record.address.rsplit("@", 1)
    lines = [
        ("objectClass", "addresseeEntry"), ("objectClass", f"addressee{record.noun.title()}"),
        ("addresseeKey", key(record.address)), ("addresseeAddress", record.address),
        ("addresseeLocalPartKey", local_part_key(local_part)), ("addresseeDomainKey", domain_key(domain))]
    if record.noun == "user":
        lines += [("addresseeFullName", record.name), ("addresseeLogin", record.login)]
        lines += [("addresseeLoginKey", record.login and fold(record.login)), ("addresseeStatus", record.status)]
        lines += [("addresseeNameKey", value) for value in name_keys(record.name or "")]
    elif record.noun == "alias":
        lines += [("addresseeAliasTarget", value) for value in ordered(record.to)]
    elif record.noun == "forward":
        lines += [("addresseeForwardTarget", value) for value in ordered(record.to)]
        lines += [("addresseeKeepCopy", "TRUE" if record.keep_copy else None), ("addresseeReply", record.reply)]
    elif record.noun == "moved":
        lines += [("addresseeNewAddress", value) for value in record.to]
    elif record.noun == "list":
        lines += [("addresseeTitle", record.name), ("addresseeOwner", record.owner)]
        lines += [("addresseeExpansion", record.expn or "trusted")]
        lines += [("addresseeMember", value) for value in ordered(record.member)]
    return lines + references((record.to or []) + (record.member or []) + [record.owner])


def references(targets):
    """Whom an entry points to, as it is compared; that is how it is found from there."""
    addresses = {re.sub(r".*<(.*)>$", r"\1", target) for target in targets if target}
    lines = [("addresseeRefersTo", value) for value in sorted(map(key, addresses))]
    return lines + [
        ("addresseeRefersToDomain", value) for value in sorted({domain_key(a.rsplit("@", 1)[1]) for a in addresses})]


def component(name, value):
    """One part of a DN (RFC 4514 2.4)."""
    value = re.sub(r'[\\,+"<>;=]', r"\\\g<0>", value)
    value = re.sub(r"^[ #]|(?<!^) $", r"\\\g<0>", value)
    return f"{name}={value}"


def line(name, value):
    """One line of LDIF (RFC 2849)."""
    if re.fullmatch(r"[!-9;=-~]([ -~]*[!-~])?", value):
        return f"{name}: {value}"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"


def ldif(commands, base):
    """The entries of commands such as `user add fred@example.org --name Fred`, below a base that is there."""
    entries = {}
    for command in commands:
        record = PARSER.parse_args(shlex.split(command))
        lines = [(name, value) for name, value in attributes(record) if value]
        if record.noun == "domain":
            dn = component("addresseeDomainKey", domain_key(record.address))
        else:
            dn = component("addresseeKey", key(record.address))
        # A forward and the user it sits on share one entry.
        entry = entries.setdefault(f"{dn},{base}", [("objectClass", "top")])
        entry += [one for one in lines if one not in entry]
    return "\n".join(
        "\n".join([line("dn", dn)] + [line(name, value) for name, value in entry]) + "\n"
        for dn, entry in entries.items())
