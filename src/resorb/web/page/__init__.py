"""The page: templates, words, and the small views that the service shows of what the verbs answer.

In: an assessment, a kind, the table or an answer, and a language. Out: HTML or plain values for the page. Nothing is
worked out here: numbers and sentences are those of the verbs, pictures those of the report. Hands out its modules.
"""
