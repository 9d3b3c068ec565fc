package io.moebius.text;

/** One message of a conversation as a chat template sees it. */
public record ChatMessage(String role, String content) {}
