package io.moebius.api;

import io.moebius.text.ChatMessage;
import java.util.List;

/** Renders a conversation to the text that the model was trained on. */
@FunctionalInterface
public interface ChatTemplate {

    /** @throws io.moebius.text.template.TemplateException with a message for the client */
    String render(List<ChatMessage> messages);
}
