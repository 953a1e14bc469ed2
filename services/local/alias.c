#include "services/local/alias.h"

#include "common/mail/address.h"
#include "services/local/expansion.h"

/* The rights that come with TABLE: *USER is filled in and taken by STEP where they are a user's. */
static bool take_rights(Attempt *attempt, Step *step, const Table *table, LocalUser *user) {
        uid_t owner;
        int r;

        step->user = NULL;
        if (!table_owner(table, &owner)) {
                attempt_say(attempt, step, "4.3.0", "nobody owns alias table %.*s",
                            STR_FMT(table_spec(table)));
                return false;
        }
        if (owner == 0)
                return true;
        r = local_user_find_uid(owner, user);
        if (r == 0)
                step->user = user;
        else
                attempt_say(attempt, step, "4.3.0", "cannot find the owner of alias table %.*s",
                            STR_FMT(table_spec(table)));
        return r == 0;
}

/*
 * Is there an alias owner-NAME? Then *RET (of an envelope) is who sends from here on. 1 yes, 0 no,
 * -1 when a table cannot tell (reported).
 */
static int find_owner(Attempt *attempt, const Step *step, Str name, Buf *ret) {
        const Settings *settings = &attempt->local->settings;
        Buf alias _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Buf value _cleanup_(buf_deinit) = BUF_INIT(TABLE_VALUE_MAX);
        Buf quoted _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str owner;
        TableResult result;

        if (!settings->addresses.extension.owner_request_special)
                return 0;
        (void)buf_append_cstr(&alias, "owner-");
        if (buf_append_str(&alias, name) != 0) {
                if (alias.error == BUF_E_FULL) /* longer than any name: no table has it */
                        return 0;
                attempt_say(attempt, step, "4.3.0", "no memory for the name of an alias's owner");
                return -1;
        }
        result = table_list_lookup_wait(settings->aliases, buf_str(&alias), &value, NULL);
        if (result == TABLE_ERROR) {
                attempt_say(attempt, step, "4.3.0", "%.*s", STR_FMT(buf_str(&value)));
                return -1;
        }
        if (result == TABLE_NOT_FOUND)
                return 0;
        (void)address_quote_local(buf_str(&alias), &quoted);
        owner = config_bool(settings->config, PARAM_expand_owner_alias) ? buf_str(&value)
                                                                        : buf_str(&quoted);
        return !quoted.error &&
               rewrite_address(&settings->addresses.resolve.rewrite, owner, ret) == 0 &&
               address_is_sane(buf_str(ret));
}

/* VALUE is what NAME stands for, by TABLE. */
static void expand(Attempt *attempt, const Step *from, Str name, Str value, const Table *table) {
        LocalUser user _cleanup_(local_user_deinit) = { 0 };
        Buf owner _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        DestinationList list = destination_list_of_value(value);
        Step step = *from;
        int has_owner;

        if (!take_rights(attempt, &step, table, &user))
                return;
        has_owner = find_owner(attempt, &step, name, &owner);
        if (has_owner < 0)
                return;
        if (has_owner > 0) {
                step.sender = step.told = step.owner = buf_str(&owner);
                step.is_list = true;
        } else if (config_bool(attempt->local->settings.config, PARAM_reset_owner_alias)) {
                step.owner = STR_NULL;
                step.told = attempt->delivery->request.sender;
        }
        step.alias = name;
        step.by = SETTINGS_BY_ALIAS;
        expansion_deliver(attempt, &step, &list);
}

bool alias_deliver(Attempt *attempt, const Step *step, Str name) {
        Buf value _cleanup_(buf_deinit) = BUF_INIT(TABLE_VALUE_MAX);
        Table *table = NULL;

        /* An alias that lists its own name means the user of that name. */
        if (str_equal_nocase(step->alias, name) && step->alias.data)
                return false;
        switch (table_list_lookup_wait(attempt->local->settings.aliases, name, &value, &table)) {
        case TABLE_FOUND:
                expand(attempt, step, name, buf_str(&value), table);
                return true;
        case TABLE_ERROR:
        case TABLE_WAIT:
                attempt_say(attempt, step, "4.3.0", "alias table lookup error: %.*s",
                            STR_FMT(buf_str(&value)));
                return true;
        case TABLE_NOT_FOUND:
                break;
        }
        return false;
}
