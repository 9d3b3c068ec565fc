package io.moebius.api;

import io.quarkus.runtime.annotations.RegisterForReflection;

@RegisterForReflection
record TokenizeRequest(String model, String prompt) {}
