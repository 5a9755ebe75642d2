"""The course: lessons with questions that the engine answers on the numbers of the student."""
