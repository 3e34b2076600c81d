"""Keys and tokens that common services issue under a prefix of their own."""

import re

from hybridmesh.agents.classifier.recognizers.recognizer import Gated, PatternRecognizer

_KEYS = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{36,255}", r"github_pat_\w{22,255}",  # GitHub
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas)-[\w-]{20,64}",  # GitLab
    r"xox[abeoprs]-[\w-]{10,250}", r"xapp-\d-[A-Z0-9]{6,20}-\d{6,20}-[a-f0-9]{20,80}",  # Slack
    r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,250}", r"whsec_[A-Za-z0-9+/=]{24,64}",  # Stripe
    r"sk-[A-Za-z0-9_-]{16,250}",  # OpenAI, Anthropic and those that follow them
    r"AIza[\w-]{35}", r"ya29\.[\w-]{20,250}", r"GOCSPX-[\w-]{24,40}",  # Google
    r"npm_[A-Za-z0-9]{36}", r"pypi-[\w-]{16,250}", r"rubygems_[a-f0-9]{48}", r"dckr_(?:pat|oat)_[\w-]{20,64}",
    r"do[por]_v1_[a-f0-9]{64}", r"hf_[A-Za-z0-9]{30,64}", r"gsk_[A-Za-z0-9]{40,64}", r"xai-[A-Za-z0-9]{60,100}",
    r"r8_[A-Za-z0-9]{37}", r"pplx-[A-Za-z0-9]{40,64}", r"tvly-[\w-]{20,64}",
    r"SG\.[\w-]{16,64}\.[\w-]{16,64}", r"AC[a-f0-9]{32}", r"SK[a-f0-9]{32}",  # SendGrid, Twilio
    r"key-[a-f0-9]{32}", r"[a-f0-9]{32}-us\d{1,2}", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,40}",  # Mailgun and its like
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", r"sq0(?:atp|csp)-[\w-]{22,64}", r"EAAA[\w-]{60}",  # Shopify, Square
    r"EAA[A-Z][A-Za-z0-9]{80,250}", r"AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{30,120}",  # Facebook, X
    r"\d{8,10}:AA[\w-]{33}", r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}",  # Telegram, Discord
    r"dapi[a-f0-9]{32}(?:-\d)?", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,64}",  # Databricks, Doppler
    r"lin_api_[A-Za-z0-9]{40}", r"(?:secret|ntn)_[A-Za-z0-9]{40,50}", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80}", r"hv[sbr]\.[\w-]{24,250}",  # Terraform, Vault
    r"ATATT3[\w=-]{60,250}", r"NRAK-[A-Z0-9]{27}", r"gl(?:c|sa)_[\w+/=]{32,250}", r"sntry[su]_[\w+/=-]{40,250}",
    r"sbp_[a-f0-9]{40}", r"sb_secret_[\w-]{20,64}", r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}", r"figd_[\w-]{38,64}",
    r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}", r"fo1_[\w-]{40,64}", r"FlyV1 fm\d_[A-Za-z0-9+/=,_-]{40,1000}",
    r"[\w~.-]{3}\dQ~[\w~.-]{31,34}",  # Azure client secrets
)  # fmt: skip
_ISSUED = re.compile(rf"(?<![\w-])(?:{'|'.join(_KEYS)})(?![\w-])")
_SEED = re.compile(r"(?<!\w)S[UAOCNX][A-Z2-7]{56}(?!\w)")  # NATS nkeys
_HOOK = re.compile(
    r"https://(?:hooks\.slack\.com/(?:services|workflows)|(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks"
    r"|[\w-]{1,60}\.webhook\.office\.com/webhookb2)/[\w/@.-]{16,256}"
)
_SIGNED = re.compile(r"(?<=[?&])(?:sig|X-Amz-Signature|X-Goog-Signature)=(?P<value>[A-Za-z0-9%+/=_-]{20,512})")

_LONG = re.compile(r"[\w.~:%+/=-]{15}")  # as each of them is
_ISSUED_KEYS = (
    PatternRecognizer("SECRET", _ISSUED, score=1.0),
    PatternRecognizer("SECRET", _SEED, score=1.0),
    PatternRecognizer("SECRET", _HOOK, score=1.0),
    PatternRecognizer("SECRET", _SIGNED),
)
RECOGNIZERS = (Gated(_LONG, _ISSUED_KEYS),)
