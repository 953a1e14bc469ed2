/*
 * The envelope's addresses: each is made canonical (rewrite.h), recipients are looked up in
 * virtual_alias_maps, and automatic copies are added. In this order, as Postfix has it; a copy's
 * recipient is an address like another, but gets no copies of its own.
 */

#include <stdio.h>

#include "common/mail/address.h"
#include "common/mail/log-id.h"
#include "services/cleanup/message.h"

enum {
        CANONICAL_E_SYNTAX = 1
};

/* ADDRESS in canonical form, appended to RET. 0, CANONICAL_E_SYNTAX, -ENOMEM. */
static int make_canonical(const Message *message, Str address, Buf *ret) {
        Str local, domain;

        if (!address_is_sane(address))
                return CANONICAL_E_SYNTAX;
        (void)rewrite_address(&message->settings->addresses.resolve.rewrite, address, ret);
        if (ret->error < 0)
                return ret->error;
        (void)address_split(buf_str(ret), &local, &domain);
        if (ret->error || !address_is_sane(buf_str(ret)) || str_is_empty(local) ||
            str_equal(local, STR("\"\"")))
                return CANONICAL_E_SYNTAX;
        return 0;
}

/* ---- sender ---- */

/* MAILER-DAEMON of this machine is nobody: what is returned to it would come back as our own. */
static bool is_null_sender(const Message *message, Str address) {
        Str local, domain;

        return address_split(address, &local, &domain) &&
               str_equal_nocase(local, STR("MAILER-DAEMON")) &&
               str_equal_nocase(domain, message->settings->addresses.myorigin);
}

int message_set_sender(Message *message, Str address) {
        int r;

        if (str_is_empty(address))
                return 0;
        r = make_canonical(message, address, &message->sender);
        if (r < 0)
                return message_fail(message, "cannot take the sender", r);
        if (r != 0) {
                buf_reset(&message->sender); /* for the log, as it came */
                (void)buf_append_clipped(&message->sender, address);
                return message_refuse(message, "5.1.7", "malformed sender address");
        }
        if (is_null_sender(message, buf_str(&message->sender)))
                buf_reset(&message->sender);
        return 0;
}

/* ---- recipients ---- */

static int write_recipient(Message *message, const Recipient *recipient) {
        Recipient key = *recipient;
        int r;

        /* One mail per mailbox, whatever names it was sent to. */
        if (!message->settings->keep_original)
                key = (Recipient){ .address = recipient->address };
        if (duplicate_filter_seen(&message->duplicates, &key))
                return 0;
        r = queue_file_writer_add_recipient(message->writer, recipient);
        return r == 0 ? 0 : message_fail_write(message, r);
}

static int write_expanded(Message *message, const Recipient *recipient, Str addresses) {
        Recipient one = *recipient;
        int r = 0;

        while (r == 0 && str_next_part(&addresses, '\n', &one.address))
                if (!str_is_empty(one.address))
                        r = write_recipient(message, &one);
        return r;
}

/* What RECIPIENT, which is canonical, stands for. */
static int expand_recipient(Message *message, const Recipient *recipient) {
        const AliasRules *rules = &message->settings->aliases;
        _cleanup_(buf_deinit) Buf addresses = BUF_INIT(TABLE_VALUE_MAX * (size_t)16);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(1024);
        int r = alias_expand(rules, recipient->address, &addresses, &reason);

        switch (r) {
        case 0:
                return write_expanded(message, recipient, buf_str(&addresses));
        case ALIAS_E_NONE:
                return write_recipient(message, recipient);
        case ALIAS_E_TABLE:
                return message_fail_lookup(message, LOG_ID_TABLE_ERROR, buf_str(&reason), "4.3.0",
                                           "virtual_alias_maps lookup error");
        case ALIAS_E_LIMIT:
                return message_fail_lookup(message, LOG_ID_ALIAS_LIMIT, buf_str(&reason), "4.6.0",
                                           "Alias expansion error");
        }
        return message_fail(message, "cannot expand an alias", r);
}

/* ---- automatic copies ---- */

/* Copies are made of what comes in: not of notices, and not again of what was sent on. */
static bool makes_copies(const Message *message) {
        return (message->flags & (ENVELOPE_NOTICE | ENVELOPE_FORWARDED)) == 0;
}

/* ADDRESS, which NAME says gets a copy. The sender is never told what becomes of it. */
static int add_copy(Message *message, const char *name, Str address) {
        _cleanup_(buf_deinit) Buf canonical = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(1024);
        Recipient copy = { .notify = RECIPIENT_NOTIFY_NEVER };
        int r = make_canonical(message, str_trim(address), &canonical);

        if (r < 0)
                return message_fail(message, "cannot add a copy", r);
        if (r != 0) {
                (void)buf_printf(&reason, "%s: not an address: %.*s", name,
                                 STR_FMT(str_first(address, 300)));
                return message_fail_lookup(message, LOG_ID_TABLE_ERROR, buf_str(&reason), "4.3.5",
                                           "mail system configuration error");
        }
        copy.address = copy.original = buf_str(&canonical);
        return expand_recipient(message, &copy);
}

/* The copy that TABLES, the parameter NAME, have for ADDRESS. */
static int add_copy_of(Message *message, const char *name, TableList *tables, Str address) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(1024);
        _cleanup_(address_match_deinit) AddressMatch match = ADDRESS_MATCH_NULL;
        TableResult result;

        if (table_list_n(tables) == 0 || !makes_copies(message))
                return 0;
        result = address_lookup(&message->settings->lookup, tables, address, &value, &match);
        if (result == TABLE_NOT_FOUND)
                return 0;
        if (result == TABLE_FOUND)
                return add_copy(message, name, buf_str(&value));
        address_lookup_describe(&reason, name, address, &match, buf_str(&value));
        (void)snprintf(message->reason, sizeof(message->reason), "%s lookup error", name);
        return message_fail_lookup(message, LOG_ID_TABLE_ERROR, buf_str(&reason), "4.3.0",
                                   message->reason);
}

int message_add_sender_copies(Message *message) {
        return add_copy_of(message, "sender_bcc_maps", message->settings->sender_bcc_maps,
                           buf_str(&message->sender));
}

int message_add_recipient(Message *message, const Recipient *received) {
        const Settings *settings = message->settings;
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Recipient recipient = *received;
        int r;

        if (str_is_empty(recipient.address))
                recipient.address = str_from_cstr(
                        config_string(settings->config, PARAM_empty_address_recipient));
        if (recipient.original.len == 0)
                recipient.original = recipient.address;
        r = make_canonical(message, recipient.address, &address);
        if (r < 0)
                return message_fail(message, "cannot take a recipient", r);
        if (r != 0)
                return message_refuse(message, "5.1.3", "malformed recipient address");
        recipient.address = buf_str(&address);
        message->n_named++;
        r = expand_recipient(message, &recipient);
        return r == 0 ? add_copy_of(message, "recipient_bcc_maps", settings->recipient_bcc_maps,
                                    recipient.address)
                      : r;
}

int message_add_always_bcc(Message *message) {
        const char *address = config_string(message->settings->config, PARAM_always_bcc);

        return address[0] != '\0' && makes_copies(message)
                       ? add_copy(message, "always_bcc", str_from_cstr(address))
                       : 0;
}
