"""Names of programs, formats and techniques: they have capitals like a person's, and nobody is called by them."""

from typing import Final

# None that is somebody's name as well ("Jenkins", "Ruby", "Kafka"), and no company.
_WORDS: Final = """
android angular ansible arduino autocad bluetooth bootstrap chatgpt chrome chromium configmap cuda debian docker drupal
elasticsearch ethernet excel fedora figma firefox gimp github gitlab gnome go gradle grafana graphql hdmi html5 indesign
inkscape ios ipad iphone javascript jira joomla json jupyter kde keycloak kibana kotlin kubernetes laravel latex
libreoffice linux macos mariadb markdown matlab maven mongodb mysql nginx nodejs numpy oauth onedrive onnx openapi
opengl openoffice openshift openssl outlook pandas photoshop php postgres postgresql powerpoint powershell prometheus
pytest python pytorch rabbitmq redis safari selenium sharepoint solarized sqlite swagger symfony tensorflow terraform
thunderbird tomcat typescript typo3 ubuntu unicode webpack whatsapp wifi windows wordpress xbox yaml zigbee
"""
TECHNICAL_NAMES: Final = frozenset(_WORDS.split())
