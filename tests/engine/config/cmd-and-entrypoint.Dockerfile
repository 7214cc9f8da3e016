FROM scratch AS exec
ENTRYPOINT ["/app", "--port", "80"]
CMD ["a b", "c\"d", "\u00e9"]
FROM scratch AS shell
ENTRYPOINT /app --port 80
CMD echo "$HOME"   'x'
FROM scratch AS not-json
CMD ['single', 'quotes']
FROM scratch AS trailing
CMD ["a", "b",]
FROM scratch AS empty
ENTRYPOINT []
CMD []
FROM scratch AS last-wins
CMD one
CMD two
