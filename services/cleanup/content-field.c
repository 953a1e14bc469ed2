#include "services/cleanup/content-field.h"

#include "common/base/macro.h"

#define RESENT  (1U << CONTENT_FIELD_RESENT)
#define VISIBLE (1U << CONTENT_FIELD_VISIBLE_RECIPIENT)

static const struct {
        Str name;
        ContentFieldKind kind;
        unsigned also;
} known_fields[] = {
        { STR("Received"), CONTENT_FIELD_RECEIVED, 0 },
        { STR("From"), CONTENT_FIELD_FROM, 0 },
        { STR("Date"), CONTENT_FIELD_DATE, 0 },
        { STR("Message-Id"), CONTENT_FIELD_MESSAGE_ID, 0 },
        { STR("To"), CONTENT_FIELD_OTHER, VISIBLE },
        { STR("Cc"), CONTENT_FIELD_OTHER, VISIBLE },
        { STR("Resent-From"), CONTENT_FIELD_RESENT_FROM, RESENT },
        { STR("Resent-Date"), CONTENT_FIELD_RESENT_DATE, RESENT },
        { STR("Resent-Message-Id"), CONTENT_FIELD_RESENT_MESSAGE_ID, RESENT },
        { STR("Resent-To"), CONTENT_FIELD_OTHER, RESENT | VISIBLE },
        { STR("Resent-Cc"), CONTENT_FIELD_OTHER, RESENT | VISIBLE },
        { STR("Resent-Bcc"), CONTENT_FIELD_OTHER, RESENT },
        { STR("Resent-Sender"), CONTENT_FIELD_OTHER, RESENT },
        { STR("Resent-Reply-To"), CONTENT_FIELD_OTHER, RESENT },
};

unsigned content_field_kinds(Str name, ContentFieldKind *ret_kind) {
        for (size_t i = 0; i < ARRAY_LEN(known_fields); i++)
                if (str_equal_nocase(known_fields[i].name, name)) {
                        *ret_kind = known_fields[i].kind;
                        return (1U << known_fields[i].kind) | known_fields[i].also;
                }
        *ret_kind = CONTENT_FIELD_OTHER;
        return 0;
}

bool content_field_is_listed(const char *list, Str name) {
        Str rest = str_from_cstr(list), word;

        while (str_next_word(&rest, &word))
                if (str_equal_nocase(word, name))
                        return true;
        return false;
}
