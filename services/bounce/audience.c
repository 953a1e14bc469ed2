#include "services/bounce/audience.h"

#include "common/mail/envelope.h"

/* For failures and for delays: notify_classes that ask for it, and who gets it then. */
typedef struct Interest {
        const char *class;
        const char *instead_class;  /* asks for it, too, in the place of a null sender */
        ConfigParam copy_recipient; /* of what the sender was told */
        ConfigParam instead_recipient;
} Interest;

static const Interest *interest_in(NoticeKind kind) {
        static const Interest failure = { "bounce", "2bounce", PARAM_bounce_notice_recipient,
                                          PARAM_2bounce_notice_recipient };
        static const Interest delay = { "delay", "delay", PARAM_delay_notice_recipient,
                                        PARAM_delay_notice_recipient };

        return kind == NOTICE_DELAY ? &delay : &failure;
}

static bool has_class(const Config *config, const char *class) {
        return config_list_has(config_string(config, PARAM_notify_classes), str_from_cstr(class));
}

static bool is_double_bounce_sender(const Config *config, Str sender) {
        Str name = str_from_cstr(config_string(config, PARAM_double_bounce_sender));
        Str origin = str_from_cstr(config_string(config, PARAM_myorigin));

        return str_has_prefix_nocase(sender, name) &&
               (sender.len == name.len ||
                (sender.data[name.len] == '@' &&
                 str_equal_nocase(str_skip(sender, name.len + 1), origin)));
}

/* By its sender, or by its flag: the sender may have been called otherwise when it was made. */
static bool is_for_postmaster(const Config *config, const Envelope *envelope) {
        return is_double_bounce_sender(config, envelope->sender) ||
               ((envelope->flags & ENVELOPE_NOTICE) && !str_is_empty(envelope->sender));
}

Audience audience_choose(const Config *config, Str owner, NoticeSpec *spec) {
        const Envelope *envelope = queue_file_envelope(spec->file);
        const Interest *interest = interest_in(spec->kind);
        Str sender = envelope->sender;

        if (is_for_postmaster(config, envelope) || is_double_bounce_sender(config, owner))
                return spec->kind == NOTICE_DELAY ? AUDIENCE_NOBODY : AUDIENCE_CHAIN_ENDS;
        if (str_is_empty(sender)) {
                spec->reader = NOTICE_TO_POSTMASTER;
                spec->recipient = str_from_cstr(config_string(config, interest->instead_recipient));
                return has_class(config, interest->class) ||
                                       has_class(config, interest->instead_class)
                               ? AUDIENCE_SOMEBODY
                               : AUDIENCE_NOBODY;
        }
        spec->reader = str_is_empty(owner) ? NOTICE_TO_SENDER : NOTICE_TO_OWNER;
        spec->recipient = str_is_empty(owner) ? sender : owner;
        return AUDIENCE_SOMEBODY;
}

bool audience_add_copy(const Config *config, NoticeSpec *spec) {
        const Interest *interest = interest_in(spec->kind);

        if (spec->reader == NOTICE_TO_POSTMASTER || !has_class(config, interest->class))
                return false;
        spec->reader = NOTICE_COPY;
        spec->recipient = str_from_cstr(config_string(config, interest->copy_recipient));
        return true;
}
