package io.moebius.api;

import io.moebius.text.ChatMessage;
import java.util.List;

/** Turns a conversation into the ids that the model was trained to read. */
@FunctionalInterface
public interface ChatTemplate {

    /** @throws io.moebius.text.template.TemplateException with a message for the client */
    int[] ids(List<ChatMessage> messages);
}
